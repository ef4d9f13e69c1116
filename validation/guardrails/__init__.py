"""Guards and validators of Guardrails AI, and how policies become them."""
