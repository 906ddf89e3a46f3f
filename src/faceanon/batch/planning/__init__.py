"""From INPUT and OUTPUT to jobs, while INPUT is walked."""
