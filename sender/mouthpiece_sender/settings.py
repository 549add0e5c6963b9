"""The settings of the sender's service: read once, in ``main``, from the environment, and handed down."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from mouthpiece.audio.loudness import loudness_of
from mouthpiece.dispatch import DEFAULT_AGENT_NAME, Provider, check_avatar_id
from mouthpiece.errors import ConfigurationError, UrlRefused
from mouthpiece.net_guard import AllowedHost, check_url
from mouthpiece.process.json_logs import LogFormat
from mouthpiece.process.settings import (
    SHORTEST_KEY,
    SHORTEST_SECRET,
    CommaList,
    HttpUrl,
    LiveKitUrl,
    check_length,
    read_settings,
)
from mouthpiece.process.sockets import is_loopback
from mouthpiece.webhook_signature import secret_bytes
from mouthpiece.wire import SENDER_NAME
from mouthpiece_sender.anam.settings import Via
from mouthpiece_sender.authority import Authority
from mouthpiece_sender.key_files import check_entry
from mouthpiece_sender.places import Quotas
from mouthpiece_sender.storage.retention import Limits
from mouthpiece_sender.webhooks.routing import Webhook

MEGABYTE = 1_000_000


def _identity(identity: str) -> str:
    if not identity.isprintable() or len(identity.encode()) > 256:
        raise ValueError("must be at most 256 bytes, all of them printable")
    return identity


def _origin(origin: str) -> str:
    scheme, separator, rest = origin.rstrip("/").partition("://")
    if scheme not in ("http", "https") or not separator or not rest or "/" in rest:
        raise ValueError(f"{origin!r} is no origin: write it as https://host or http://host:port")
    return origin.rstrip("/").lower()


def _public_host(name: str) -> str:
    try:
        Authority.parse(name)
    except ValueError:
        raise ValueError(f"{name!r} is no host: write it as name or name:port, without https://") from None
    return name


def _api_key(entry: SecretStr) -> SecretStr:
    try:
        check_entry(entry.get_secret_value())
    except ValueError as error:
        raise ValueError(f"{error}: write each as key or key:room-prefix") from None
    return entry


def _loudness(text: str) -> str:
    try:
        loudness_of(text)
    except ConfigurationError as error:
        raise ValueError(str(error).removeprefix("MOUTHPIECE_LOUDNESS ")) from None
    return text


def _instance(name: str) -> str:
    if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum() or len(name) > 40:
        raise ValueError("must be 1 to 40 letters, digits, hyphens and underscores")
    return name


def _webhook_url(url: str) -> str:
    try:
        host = httpx.URL(url).host
        check_url(url, [AllowedHost(host.lower())])
    except (UrlRefused, httpx.InvalidURL):
        raise ValueError("its url is no address with http:// or https://, without a name and password") from None
    return url


def _webhook_secret(secret: SecretStr) -> SecretStr:
    try:
        secret_bytes(secret.get_secret_value())
    except ValueError:
        raise ValueError("the secret must be whsec_ and base64 of 24 to 64 bytes") from None
    return secret


ApiKey = Annotated[SecretStr, AfterValidator(_api_key)]
PublicHost = Annotated[str, AfterValidator(_public_host)]
Origin = Annotated[str, AfterValidator(_origin)]


class WebhookSetting(BaseModel):
    """A receiver of events."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, AfterValidator(_webhook_url)]
    """It may be a private address."""
    secret: Annotated[SecretStr, AfterValidator(_webhook_secret)]
    events: list[str] = []
    rooms: list[str] = []


class Settings(BaseSettings):
    """Each field names its environment variable; an empty variable counts as not set."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True)

    target: Via = Field(Via.LIVEKIT, validation_alias="MOUTHPIECE_TARGET")
    """The target that speaks; Anam's own settings are in ``AnamSettings``."""
    livekit_url: LiveKitUrl = Field("", validation_alias="LIVEKIT_URL")
    """This, key and secret are required where the target is LiveKit."""
    livekit_api_key: str = Field("", validation_alias="LIVEKIT_API_KEY")
    livekit_api_secret: SecretStr = Field(SecretStr(""), validation_alias="LIVEKIT_API_SECRET")
    livekit_key_file: Path | None = Field(None, validation_alias="LIVEKIT_KEY_FILE")
    """Key and secret in a file instead, as livekit-server reads it; it is read again when it changes."""
    livekit_public_url: LiveKitUrl | None = Field(None, validation_alias="LIVEKIT_PUBLIC_URL")
    """LiveKit's address for a browser, where it is not ``livekit_url``."""
    agent_name: str = Field(DEFAULT_AGENT_NAME, validation_alias="AGENT_NAME")
    """The worker that ``POST /v1/rooms`` sends into a room."""

    host: str = Field("127.0.0.1", validation_alias="MOUTHPIECE_SENDER_HOST")
    """Address to listen on."""
    port: int = Field(8090, ge=0, le=65_535, validation_alias="MOUTHPIECE_SENDER_PORT")
    """0 takes a free one."""
    log_format: LogFormat = Field(LogFormat.TEXT, validation_alias="MOUTHPIECE_LOG_FORMAT")
    """``text`` or ``json``."""
    traces: HttpUrl | None = Field(None, validation_alias="MOUTHPIECE_TRACES")
    """A collector's address for OTLP over HTTP; None: segments are not traced."""
    api_keys: CommaList[ApiKey] = Field(default_factory=list, validation_alias="MOUTHPIECE_API_KEYS")
    """``key`` or ``key:room-prefix``. Without a key the service listens on loopback only and accepts every caller."""
    api_keys_file: Path | None = Field(None, validation_alias="MOUTHPIECE_API_KEYS_FILE")
    """A file with more of them, one a line; it is read again when it changes."""
    public_hosts: CommaList[PublicHost] = Field(default_factory=list, validation_alias="MOUTHPIECE_PUBLIC_HOSTS")
    """Names of the service, beside loopback and IP addresses; one without a port is accepted with any port."""
    allowed_origins: CommaList[Origin] = Field(default_factory=list, validation_alias="MOUTHPIECE_ALLOWED_ORIGINS")
    """Other sites whose pages may call the API through a proxy that passes their ``Origin`` on."""

    allowed_hosts: CommaList[PublicHost] = Field(default_factory=list, validation_alias="MOUTHPIECE_ALLOWED_HOSTS")
    """Hosts of the operator's own that a caller's URLs may name; any other must have public addresses."""

    webhooks: list[WebhookSetting] = Field(default_factory=list, validation_alias="MOUTHPIECE_WEBHOOKS")
    """Receivers of events, as JSON."""
    callback_secret: Annotated[SecretStr, AfterValidator(_webhook_secret)] | None = Field(
        None, validation_alias="MOUTHPIECE_CALLBACK_SECRET"
    )
    """Signs what is sent to callers' ``callback``; None: it is not signed."""
    webhook_backoff: float = Field(1, ge=0, validation_alias="MOUTHPIECE_WEBHOOK_BACKOFF")
    """What the delays between tries of a webhook are multiplied with."""
    webhook_timeout: float = Field(15, gt=0, validation_alias="MOUTHPIECE_WEBHOOK_TIMEOUT")
    """Seconds that a receiver may take."""

    data: Path = Field(Path("~/.local/share/mouthpiece"), validation_alias="MOUTHPIECE_DATA")
    """The folder of the store and the spool."""
    keep_sounds: float = Field(0, ge=0, validation_alias="MOUTHPIECE_KEEP_SOUNDS")
    """Seconds that a sound is kept once its segment has ended, to be said again; 0: not at all."""
    max_sounds: int = Field(5000, ge=0, validation_alias="MOUTHPIECE_MAX_SOUNDS_MB")
    """Megabytes of sounds that are kept so."""
    keep_texts: float = Field(30, ge=0, validation_alias="MOUTHPIECE_KEEP_TEXTS_DAYS")
    """Days that words, names and metadata are kept once their segment has ended."""
    keep_segments: float = Field(30, ge=0, validation_alias="MOUTHPIECE_KEEP_SEGMENTS_DAYS")
    """Days that a segment is kept once it has ended."""
    keep_events: float = Field(7, ge=0, validation_alias="MOUTHPIECE_KEEP_EVENTS_DAYS")
    max_store: int = Field(2000, ge=1, validation_alias="MOUTHPIECE_MAX_STORE_MB")
    """Megabytes of the store; beyond it the oldest ended segments go."""
    drain: float = Field(20, ge=0, validation_alias="MOUTHPIECE_DRAIN")
    """Seconds for which what plays may play on when the service stops; then it is cut."""
    web: Path | None = Field(None, validation_alias="MOUTHPIECE_WEB")
    """The folder of the built page; None: the repository's or the image's."""

    instance: Annotated[str, AfterValidator(_instance)] | None = Field(None, validation_alias="MOUTHPIECE_INSTANCE")
    """Part of our identity in rooms; None: a random one, stored in the data folder."""
    identity: Annotated[str, AfterValidator(_identity)] | None = Field(
        None, validation_alias="MOUTHPIECE_SENDER_IDENTITY"
    )
    """Our identity, for a receiver that is bound to a fixed one; then use one room only."""
    name: str = Field(SENDER_NAME, validation_alias="MOUTHPIECE_SENDER_NAME")
    """Our name, as people in the room see it."""

    avatar_provider: Provider = Field(Provider.LOCAL, validation_alias="AVATAR_PROVIDER")
    """The worker's setting, read here too: ``POST /v1/rooms`` answers which avatar to expect."""
    avatar_id: Annotated[str, AfterValidator(check_avatar_id)] | None = Field(None, validation_alias="AVATAR_ID")
    """Likewise."""
    avaluma_avatar_id: Annotated[str, AfterValidator(check_avatar_id)] | None = Field(
        None, validation_alias="AVALUMA_AVATAR_ID"
    )
    """Likewise, by the name that Avaluma's plugin gives it."""
    avatar_timeout: float = Field(30, gt=0, validation_alias="MOUTHPIECE_AVATAR_TIMEOUT")
    """Seconds that a segment waits for an avatar."""
    warm: float = Field(60, ge=0, validation_alias="MOUTHPIECE_WARM")
    """Seconds to stay in a room where nothing plays or waits."""
    listen: bool = Field(True, validation_alias="MOUTHPIECE_LISTEN")
    """Listen to the tracks of avatars while they speak: always where their own reports prove little, else at times."""
    max_queue: int = Field(100, ge=1, validation_alias="MOUTHPIECE_MAX_QUEUE")
    """Segments that may wait or play in one room."""
    max_rooms: int = Field(200, ge=0, validation_alias="MOUTHPIECE_MAX_ROOMS")
    """Rooms that are spoken into or stayed in at a time; 0: any number."""
    data_limit: int = Field(200, ge=0, validation_alias="MOUTHPIECE_DATA_LIMIT")
    """Kilobytes of data a second that a participant, no agent, may send into a room; 0: any number."""
    key_rooms: int = Field(0, ge=0, validation_alias="MOUTHPIECE_KEY_ROOMS")
    """Rooms in which segments of one API key may wait or play; 0: any number."""
    key_segments: int = Field(0, ge=0, validation_alias="MOUTHPIECE_KEY_SEGMENTS")
    """Segments of one API key that may wait or play; 0: any number."""
    key_seconds: float = Field(0, ge=0, validation_alias="MOUTHPIECE_KEY_SECONDS")
    """Seconds of sound in them; 0: any number."""
    key_requests: int = Field(0, ge=0, validation_alias="MOUTHPIECE_KEY_REQUESTS")
    """Requests a minute of one API key; 0: any number."""
    key_empty_timeout: int = Field(0, ge=0, validation_alias="MOUTHPIECE_KEY_EMPTY_TIMEOUT")
    """Seconds that a room may stay open without a viewer, whatever an API key asks for; 0: any number."""
    max_upload: int = Field(300, ge=1, validation_alias="MOUTHPIECE_MAX_UPLOAD_MB")
    """Megabytes of one body."""
    max_seconds: float = Field(3600, gt=0, validation_alias="MOUTHPIECE_MAX_SECONDS")
    """Seconds of sound in one body."""
    tts: str = Field("", validation_alias="MOUTHPIECE_TTS")
    """The provider for a text that names none; empty: the offline voice, or with Anam the voice of Anam's recipe."""
    lexicon: Path | None = Field(None, validation_alias="MOUTHPIECE_LEXICON")
    """A file with words and how they are said; see ``Lexicon``."""
    loudness: Annotated[str, AfterValidator(_loudness)] = Field("off", validation_alias="MOUTHPIECE_LOUDNESS")
    """LUFS that every sound is brought to, or ``off``."""
    min_free: int = Field(500, ge=0, validation_alias="MOUTHPIECE_MIN_FREE_MB")
    """Megabytes that must stay free on the disk of the data folder."""
    empty_timeout: int = Field(300, ge=1, validation_alias="MOUTHPIECE_ROOM_EMPTY_TIMEOUT")
    """Seconds until LiveKit closes a room that we opened and no viewer has joined."""
    departure_timeout: int = Field(60, ge=1, validation_alias="MOUTHPIECE_ROOM_DEPARTURE_TIMEOUT")
    """Seconds until LiveKit closes the room after the last viewer left: enough to reload the page."""

    @property
    def own_api_keys(self) -> list[str]:
        """The entries that are not in the file."""
        return [entry.get_secret_value() for entry in self.api_keys]

    @property
    def has_key_files(self) -> bool:
        """Whether keys lie in files, and so may change while the service runs."""
        return self.api_keys_file is not None or self.livekit_key_file is not None

    @property
    def quotas(self) -> Quotas:
        """How many rooms and segments there may be."""
        return Quotas(
            room_segments=self.max_queue,
            rooms=self.max_rooms or None,
            key_rooms=self.key_rooms or None,
            key_segments=self.key_segments or None,
            key_seconds=self.key_seconds or None,
        )

    @property
    def limits(self) -> Limits:
        """What the store keeps, and for how long."""
        return Limits(
            segments=timedelta(days=self.keep_segments),
            events=timedelta(days=self.keep_events),
            texts=timedelta(days=self.keep_texts),
            sounds=timedelta(seconds=self.keep_sounds),
            store_bytes=self.max_store * MEGABYTE,
            sound_bytes=self.max_sounds * MEGABYTE,
        )

    @property
    def url_hosts(self) -> list[AllowedHost]:
        """``allowed_hosts`` as the guard of URLs takes them."""
        return [AllowedHost(one.host, one.port) for one in map(Authority.parse, self.allowed_hosts)]

    @property
    def webhook_list(self) -> list[Webhook]:
        """``webhooks`` as they are routed."""
        return [Webhook(one.url, one.secret.get_secret_value(), one.events, one.rooms) for one in self.webhooks]

    @property
    def signing_secret(self) -> str | None:
        return None if self.callback_secret is None else self.callback_secret.get_secret_value()

    @property
    def public_url(self) -> str:
        """LiveKit's address for a viewer, with ws:// or wss://."""
        url = self.livekit_public_url or self.livekit_url
        return "ws" + url.removeprefix("http") if url.startswith("http") else url

    def check(self) -> None:
        """:raises ConfigurationError: a required setting is missing, or two contradict; the message says what to do."""
        livekit = {"LIVEKIT_URL": self.livekit_url}
        if self.livekit_key_file is None:
            livekit["LIVEKIT_API_KEY"] = self.livekit_api_key
            livekit["LIVEKIT_API_SECRET"] = self.livekit_api_secret.get_secret_value()
        if self.target is Via.LIVEKIT and (missing := [name for name, value in livekit.items() if not value]):
            raise ConfigurationError(
                f"{', '.join(missing)} not set: put {'it' if len(missing) == 1 else 'them'} into the environment or "
                "into .env.local (`mouthpiece demo` starts a LiveKit server of its own, with a key)"
            )
        if not is_loopback(self.host) and not self.api_keys and self.api_keys_file is None:
            raise ConfigurationError(
                f"listening on {self.host} needs MOUTHPIECE_API_KEYS or MOUTHPIECE_API_KEYS_FILE: without a key "
                "anybody who reaches this address could speak in your rooms. Set it, or listen on 127.0.0.1"
            )
        if not is_loopback(self.host):
            for entry in self.own_api_keys:
                check_length("MOUTHPIECE_API_KEYS", entry.partition(":")[0], SHORTEST_KEY)
            if self.livekit_api_secret.get_secret_value() and self.target is Via.LIVEKIT:
                check_length("LIVEKIT_API_SECRET", self.livekit_api_secret.get_secret_value(), SHORTEST_SECRET)


def load_settings(**options: Any) -> Settings:
    """Read the settings from the environment; ``options`` (by the field's name) that are not None override it.

    :raises ConfigurationError: a setting is missing or wrong; it names the setting, and never says its value.
    """
    settings = read_settings(Settings, **options)
    settings.check()
    return settings
