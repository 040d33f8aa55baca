"""``python -m bot.launch``: what ``./porchlight`` runs once everything is installed."""

from bot.launch.cli import main

if __name__ == "__main__":
    main()
