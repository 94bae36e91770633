"""What answers look like, for the API's own documentation."""
