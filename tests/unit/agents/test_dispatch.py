"""The metadata of a dispatch, read and written."""

import pytest

from mouthpiece.dispatch import JobMetadata, Provider


@pytest.mark.parametrize("text", ["", "  ", "{}", '{"avatar": {}}', '{"avatar": null}', '{"other": [1, 2]}'])
def test_metadata_may_leave_every_choice_open(text: str) -> None:
    assert JobMetadata.loads(text) == JobMetadata()


def test_metadata_chooses_provider_avatar_and_time_and_unknown_keys_are_ignored() -> None:
    text = '{"avatar": {"provider": "avaluma", "id": "kadda_v5", "pose": 1}, "empty_timeout": 20, "title": "x"}'
    assert JobMetadata.loads(text) == JobMetadata(Provider.AVALUMA, "kadda_v5", 20.0)


@pytest.mark.parametrize(
    "metadata",
    [
        JobMetadata(),
        JobMetadata(avatar_id="mia"),
        JobMetadata(provider=Provider.LOCAL),
        JobMetadata(empty_timeout=0.0),
        JobMetadata(Provider.AVALUMA, "x", 1.5),
    ],
)
def test_metadata_that_is_written_is_read_back(metadata: JobMetadata) -> None:
    assert JobMetadata.loads(metadata.dumps()) == metadata


def test_metadata_without_a_choice_is_an_empty_string() -> None:
    assert JobMetadata().dumps() == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[]", "JSON object"),
        ('"local"', "JSON object"),
        ('{"avatar": "mia"}', '"avatar"'),
        ('{"avatar": {"provider": "acme"}}', "local, avaluma"),
        ('{"avatar": {"provider": ["local"]}}', "local, avaluma"),
        ('{"avatar": {"id": 7}}', '"avatar.id"'),
        ('{"avatar": {"id": ""}}', "1 to 128"),
        ('{"avatar": {"id": "two words"}}', "1 to 128"),
        ('{"avatar": {"id": "a\\nb"}}', "1 to 128"),
        ('{"avatar": {"id": "%s"}}' % ("x" * 129), "1 to 128"),
        ('{"empty_timeout": -1}', '"empty_timeout"'),
        ('{"empty_timeout": true}', '"empty_timeout"'),
        ('{"empty_timeout": "20"}', '"empty_timeout"'),
        ('{"empty_timeout": NaN}', '"empty_timeout"'),
    ],
)
def test_the_error_for_wrong_metadata_names_the_fault(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        JobMetadata.loads(text)
