"""The providers that come with Mouthpiece, one per file; ``mouthpiece.tts.create`` makes them by name."""
