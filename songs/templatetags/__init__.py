"""What templates of songs say in their own words."""
