"""Statistical claims, measured over many seeds."""
