"""The rows that make a number, and how they are reduced."""
