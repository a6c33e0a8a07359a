"""Build and remove the course's network on a real engine."""
