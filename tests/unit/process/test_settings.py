"""Settings are read from the environment; what is wrong is named by its variable, and its value is never said."""

from __future__ import annotations

import pytest
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from mouthpiece.errors import ConfigurationError
from mouthpiece.process.settings import CommaList, HttpUrl, LiveKitUrl, read_settings


class Example(BaseSettings):
    model_config = SettingsConfigDict(env_ignore_empty=True, populate_by_name=True)

    port: int = Field(80, ge=0, validation_alias="EXAMPLE_PORT")
    names: CommaList[str] = Field(default_factory=list, validation_alias="EXAMPLE_NAMES")
    server: HttpUrl = Field("http://here", validation_alias="EXAMPLE_SERVER")
    livekit: LiveKitUrl = Field("", validation_alias="EXAMPLE_LIVEKIT")


class Required(BaseSettings):
    key: str = Field(validation_alias="EXAMPLE_KEY")
    secret: str = Field(validation_alias="EXAMPLE_SECRET")


def test_an_option_that_is_given_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_PORT", "8080")
    assert read_settings(Example, port=None).port == 8080
    assert read_settings(Example, port=9090).port == 9090


def test_a_list_has_commas_between_its_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_NAMES", "anna, ,bert ,")
    assert read_settings(Example).names == ["anna", "bert"]


def test_addresses_lose_the_slash_at_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_SERVER", "https://there/")
    monkeypatch.setenv("EXAMPLE_LIVEKIT", "wss://there/")
    settings = read_settings(Example)
    assert (settings.server, settings.livekit) == ("https://there", "wss://there")


def test_each_missing_setting_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXAMPLE_KEY", raising=False)
    monkeypatch.delenv("EXAMPLE_SECRET", raising=False)
    with pytest.raises(ConfigurationError) as caught:
        read_settings(Required)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "EXAMPLE_KEY is not set",
        "EXAMPLE_SECRET is not set",
    ]


@pytest.mark.parametrize(
    ("variable", "value"),
    [("EXAMPLE_PORT", "eighty"), ("EXAMPLE_SERVER", "ftp://there"), ("EXAMPLE_LIVEKIT", "there:7880")],
)
def test_a_wrong_value_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as caught:
        read_settings(Example)
    assert str(caught.value).startswith(f"{variable}: ")
    assert value not in str(caught.value)


def test_a_wrong_option_is_named_by_its_variable_too() -> None:
    with pytest.raises(ConfigurationError, match=r"^EXAMPLE_PORT: "):
        read_settings(Example, port=-1)
