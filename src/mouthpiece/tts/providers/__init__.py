"""The voices that come with Mouthpiece: one file a provider, made by name through ``mouthpiece.tts.create``."""
