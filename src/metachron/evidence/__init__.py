"""What the literature says: facts, references, and quantities that carry their source."""

from metachron.evidence.facts import Fact, load_facts
from metachron.evidence.quantity import Quantity
from metachron.evidence.references import Reference, format_reference, link, load_references

__all__ = ["Fact", "Quantity", "Reference", "format_reference", "link", "load_facts", "load_references"]
