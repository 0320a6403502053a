"""What the diagnosis looks for: one function per pain, each a comparison with a norm."""
