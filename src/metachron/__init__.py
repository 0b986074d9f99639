"""metachron: what to do, when and in which order, for metastasis after colorectal cancer surgery.

Research software, not a medical device.
"""

__version__ = "0.1.0"

DISCLAIMER = (
    "Research software, not a medical device. It must not be used to decide the care of a person: "
    "treatment decisions belong to the patient and a specialist multidisciplinary team."
)

__all__ = ["DISCLAIMER", "__version__"]
