"""The generated company whose truth is known."""
