"""What lifelines does for petlake: checks of our Kaplan-Meier and Cox numbers, and accelerated failure time models."""
