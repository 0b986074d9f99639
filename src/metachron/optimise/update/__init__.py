"""What has happened since the assessment: twins conditioned on new findings, and a plan from today."""
