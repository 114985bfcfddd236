"""The remote lane: frames go to a model behind an OpenAI-compatible endpoint, within its limits and a budget."""
