"""Records what is claimed to have broken a ceasefire and serves honest figures from it."""
