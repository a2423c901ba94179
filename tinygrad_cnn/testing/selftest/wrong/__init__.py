"""Wrong vjps."""
