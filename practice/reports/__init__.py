"""Reports: measures by group and period for the person who looks; standard and saved ones, and schedules."""
