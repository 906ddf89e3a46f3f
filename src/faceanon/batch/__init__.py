"""Many inputs, each accounted for once; may import `pipeline` and what is below it."""
