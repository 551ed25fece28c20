"""What templates of every kind of job say in their own words."""
