"""Start here: settings, the wiring of the flow, runner, registry, command line, HTTP, demo."""
