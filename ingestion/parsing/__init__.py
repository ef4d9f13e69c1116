"""How files become text: kinds, routing, the sandbox."""
