"""placeholder"""
from service.settings import Settings


def create_app(settings: Settings): ...
