"""What opens the gateway, as it is found at start: the main token and the further ones; and what was signed out."""

import os
from pathlib import Path

from gateway.errors import BrokenTokens, WrongSetting
from gateway.security.sign_outs import FILE, SignOuts
from gateway.settings import GatewaySettings
from gateway.tokens import Keyring
from gateway.tokens.strength import random_token


def main_token(settings: GatewaySettings) -> str | None:
    """The main token, made at the first start; None if authentication is off. Raises WrongSetting."""
    if settings.auth == "off":
        return None
    if settings.token is not None:
        return settings.token.get_secret_value()
    try:
        return load_token(settings.data_dir)
    except OSError as error:
        raise WrongSetting(
            f"the token cannot be kept in GATEWAY_DATA_DIR ({settings.data_dir}): {error.strerror}; "
            "set GATEWAY_DATA_DIR to a folder that can be written, or set GATEWAY_TOKEN"
        ) from None


def keyring(settings: GatewaySettings) -> Keyring:
    """The further tokens. Raises WrongSetting."""
    path = settings.tokens
    try:
        return Keyring.load(path) if settings.auth == "on" else Keyring()
    except BrokenTokens as error:
        raise WrongSetting(str(error)) from None
    except OSError as error:
        raise WrongSetting(
            f"the tokens in {path} cannot be read: {error.strerror}; let this user read the file, or set "
            "GATEWAY_TOKENS_FILE to another one"
        ) from None


def sign_outs(settings: GatewaySettings, wall: float) -> SignOuts:
    """The sessions that were signed out. Raises WrongSetting."""
    if settings.auth == "off":
        return SignOuts()
    known = SignOuts(settings.data_dir / FILE)
    try:
        known.refresh(wall)
    except OSError as error:
        raise WrongSetting(
            f"{settings.data_dir / FILE}, which says which sessions were signed out, cannot be read: {error.strerror}; "
            "let this user read the file"
        ) from None
    return known


def load_token(folder: Path) -> str:
    """The token kept in `folder`, generated at the first start; readable by its owner only. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "token"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept = path.read_text().strip()
        if len(kept) >= 16:
            return kept
        path.unlink()  # cut short by a crash, or emptied to get a new one
        return load_token(folder)
    token = random_token()
    with os.fdopen(descriptor, "w") as file:
        file.write(token + "\n")
    return token
