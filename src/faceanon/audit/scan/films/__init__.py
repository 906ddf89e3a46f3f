"""The walkers of films: one container a module, and what they share."""
