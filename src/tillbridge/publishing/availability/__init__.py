"""Publishing availability: each channel shows what can be promised, and never more."""
