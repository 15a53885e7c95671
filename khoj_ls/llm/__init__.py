"""Chat models: one file per provider, a catalogue, and the rules of what may be sent where."""
