"""What opens the gateway, as it is found at start: the main token and the further ones."""

from gateway.errors import BrokenTokens, CannotStart
from gateway.security.auth import load_token
from gateway.settings import GatewaySettings
from gateway.tokens import Keyring


def main_token(settings: GatewaySettings) -> str | None:
    """The main token, made at the first start; None if authentication is off. Raises CannotStart."""
    if settings.auth == "off":
        return None
    if settings.token is not None:
        return settings.token.get_secret_value()
    try:
        return load_token(settings.data_dir)
    except OSError as error:
        raise CannotStart(
            f"the token cannot be kept in GATEWAY_DATA_DIR ({settings.data_dir}): {error.strerror}; "
            "set GATEWAY_DATA_DIR to a folder that can be written, or set GATEWAY_TOKEN"
        ) from None


def keyring(settings: GatewaySettings) -> Keyring:
    """The further tokens. Raises CannotStart."""
    path = settings.tokens
    try:
        return Keyring.load(path) if settings.auth == "on" else Keyring()
    except BrokenTokens as error:
        raise CannotStart(str(error)) from None
    except OSError as error:
        raise CannotStart(
            f"the tokens in {path} cannot be read: {error.strerror}; let this user read the file, or set "
            "GATEWAY_TOKENS_FILE to another one"
        ) from None
