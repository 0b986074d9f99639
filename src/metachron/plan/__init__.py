"""From one patient to a plan: twins, lives under each strategy, paired comparison, timetable."""
