"""How sure a forecast is: intervals, and tiers that wait until the models are sure."""
