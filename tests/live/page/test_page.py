"""The page in Chromium against a fake service: what it shows, plays, sends, and recovers from."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from livekit import api
from playwright.async_api import Page, expect

from mouthpiece_sender.demo import livekit_server
from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.page.cuttable_proxy import CuttableProxy
from tests.live.page.fake_avatar import FakeAvatar
from tests.live.page.fake_service import FakeService
from tests.live.page.watching import energy_over, interrupt, join, pictures_move, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASSETS = Path(__file__).parents[3] / "assets"
LONG = ASSETS / "lighthouse_16kHz.wav"
SILENCE = 1e-6
"""Mean power below which sound counts as silence: -60 dBFS."""


async def test_shows_moving_pictures_and_is_heard_until_interrupt_is_pressed(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    await join(page, service.url, room_name)
    await pictures_move(page)
    assert await energy_over(page, 0.5) < SILENCE

    await page.set_input_files("#file", LONG)
    await until(page, "mouthpiece.phase === 'speaking'")
    assert await energy_over(page, 1.0) > 100 * SILENCE
    await expect(page.get_by_role("status").first).to_have_text("Speaking")

    await interrupt(page)
    await until(page, "mouthpiece.phase === 'listening'", 3)
    assert await energy_over(page, 0.5) < SILENCE
    row = page.locator(".segment").first
    await expect(row).to_contain_text("Interrupted")
    await expect(row).to_contain_text("confirmed")
    assert service.interrupts == [{"queued": "keep"}]


async def test_plays_the_sample_and_lists_its_segment(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    await join(page, service.url, room_name)
    await page.get_by_role("button", name="Play a sample").click()
    row = page.locator(".segment")
    await expect(row).to_contain_text("hello_world_16kHz.wav")
    await expect(row.locator(".chip")).to_have_text("Speaking")
    await expect(row.get_by_role("progressbar")).to_be_visible()
    await expect(row.locator(".chip")).to_have_text("Said", timeout=10_000)
    await expect(row.locator(".time")).to_have_text("0:03")
    assert service.bodies == [("hello_world_16kHz.wav", "audio/wav", (ASSETS / "hello_world_16kHz.wav").stat().st_size)]


async def test_waits_for_the_avatar_and_for_its_return(
    page: Page, service: FakeService, livekit: LiveKit, room_name: str
) -> None:
    await join(page, service.url, room_name, phase="coming")
    await expect(page.get_by_role("status").first).to_have_text("The avatar is coming…")
    for _ in range(2):
        async with FakeAvatar(livekit, room_name):
            await until(page, "mouthpiece.phase === 'listening'")
            await until(page, "document.body.hasAttribute('data-picture')")
        await until(page, "mouthpiece.phase === 'coming' && !document.body.hasAttribute('data-picture')")


async def test_asks_for_a_key_and_keeps_it_for_the_tab(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    service.key = "right"
    await page.goto(f"{service.url}/?room={room_name}")
    await page.get_by_role("button", name="Join").click()
    await page.get_by_label("API key").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("was not accepted")
    await page.get_by_label("API key").fill("right")
    await page.keyboard.press("Enter")
    await until(page, "mouthpiece.phase === 'listening'")
    await page.reload()
    await page.get_by_role("button", name="Join").click()
    await until(page, "mouthpiece.phase === 'listening'")
    assert "right" not in await page.evaluate("JSON.stringify(localStorage) + location.href + document.body.innerHTML")


async def test_a_key_for_other_rooms_can_be_replaced(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    service.key, service.other_rooms_key = "right", "elsewhere"
    await page.goto(f"{service.url}/?room={room_name}")
    await page.evaluate("sessionStorage.setItem('mouthpiece.key', 'elsewhere')")
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_role("dialog")).to_contain_text("That key is for other rooms.")
    await page.get_by_role("button", name="Cancel").click()
    await until(page, "mouthpiece.phase === 'failed'")
    await expect(page.locator("#lobby-text")).to_have_text("This key is for rooms whose name begins with “other-”.")
    assert await page.evaluate("sessionStorage.getItem('mouthpiece.key')") == "elsewhere"
    await page.get_by_role("button", name="Try again").click()
    await page.get_by_label("API key").fill("right")
    await page.keyboard.press("Enter")
    await until(page, "mouthpiece.phase === 'listening'")
    assert await page.evaluate("sessionStorage.getItem('mouthpiece.key')") == "right"


async def test_says_why_it_cannot_join_without_a_key(page: Page, service: FakeService, room_name: str) -> None:
    service.key = "right"
    await page.goto(f"{service.url}/?room={room_name}")
    await page.get_by_role("button", name="Join").click()
    await page.get_by_role("button", name="Cancel").click()
    await until(page, "mouthpiece.phase === 'failed'")
    await expect(page.locator("#lobby-text")).to_contain_text("needs a key")
    await expect(page.get_by_role("button", name="Try again")).to_be_focused()


async def test_shows_why_the_service_refused_a_file_and_sends_it_again(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    await join(page, service.url, room_name)
    service.refusal = (429, "The queue of this room is full. Try again in a minute.")
    await page.set_input_files("#file", ASSETS / "hello_world_16kHz.wav")
    upload = page.locator(".upload")
    await expect(upload).to_contain_text("The queue of this room is full.")
    service.refusal = None
    await upload.get_by_role("button", name=re.compile("again")).click()
    await expect(page.locator(".segment")).to_have_count(1)
    await expect(upload).to_have_count(0)

    await page.set_input_files("#file", {"name": "noise.wav", "mimeType": "audio/wav", "buffer": b"no sound at all"})
    await expect(upload).to_contain_text("This is not audio")
    await expect(upload.get_by_role("button", name=re.compile("again"))).to_have_count(0)


async def test_refuses_a_file_that_is_no_sound_before_sending(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    await join(page, service.url, room_name)
    await page.set_input_files("#file", {"name": "holiday.png", "mimeType": "image/png", "buffer": b"png"})
    await expect(page.get_by_role("alert")).to_contain_text("“holiday.png” is not a sound file.")
    assert service.bodies == []


async def test_sends_dropped_files_in_their_order(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    await join(page, service.url, room_name)
    await page.evaluate(
        """async (url) => {
            const sound = await (await fetch(url)).blob();
            const carried = new DataTransfer();
            for (const name of ["one.wav", "two.wav"]) carried.items.add(new File([sound], name, {type: "audio/wav"}));
            const about = {dataTransfer: carried, bubbles: true, cancelable: true};
            for (const type of ["dragenter", "dragover", "drop"])
                document.body.dispatchEvent(new DragEvent(type, about));
        }""",
        f"{service.url}/assets/{sample_name(service)}",
    )
    await expect(page.locator(".segment")).to_have_count(2)
    assert [name for name, _, _ in service.bodies] == ["one.wav", "two.wav"]


async def test_cancels_a_waiting_segment(page: Page, service: FakeService, avatar: FakeAvatar, room_name: str) -> None:
    service.add(source={"kind": "file", "name": "later.wav"})
    await join(page, service.url, room_name)
    await page.get_by_role("button", name="Cancel later.wav").click()
    await expect(page.locator(".segment .chip")).to_have_text("Cancelled")


async def test_shows_earlier_segments_on_request(page: Page, service: FakeService, room_name: str) -> None:
    for _ in range(45):
        service.add(state="finished", receipt="confirmed")
    await join(page, service.url, room_name, phase="coming")
    rows = page.locator(".segment")
    await expect(rows).to_have_count(20)
    for count in (40, 45):
        await page.get_by_role("button", name="Show earlier").click()
        await expect(rows).to_have_count(count)
    await expect(page.get_by_role("button", name="Show earlier")).to_be_hidden()
    service.add(state="finished")
    await expect(rows).to_have_count(46)


async def test_offers_text_where_the_service_has_voices_and_shows_captions(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    service.voices = [{"id": "heart", "name": "Heart"}, {"id": "alto", "name": "Alto"}]
    await join(page, service.url, room_name)
    await page.get_by_label("Voice").select_option("alto")
    await page.get_by_label("Text to say").fill("Good morning!")
    await page.keyboard.press("Enter")
    await expect(page.locator(".segment")).to_contain_text("Good morning!")
    assert service.texts == [{"text": "Good morning!", "voice": "alto"}]
    await expect(page.get_by_label("Text to say")).to_have_value("")

    await avatar.caption("Good morning!")
    captions = page.locator("#captions")
    await expect(captions).to_have_text("Good morning!")
    for phase, shown in (("playing", True), ("cut", False)):
        await avatar.caption("Never heard to its end.", {"lk.segment_id": "seg-0", "mouthpiece.caption": phase})
        await expect(captions.filter(has_text="to its end")).to_have_count(int(shown), timeout=5_000)
    await avatar.caption("Good evening!")
    await expect(captions).to_contain_text("Good evening!")
    await page.locator("body").press("c")
    await expect(captions).to_be_hidden()


async def test_offers_no_text_where_the_service_has_none(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    await join(page, service.url, room_name)
    await page.wait_for_timeout(500)
    await expect(page.get_by_label("Text to say")).to_be_hidden()


async def test_offers_text_once_the_list_of_voices_can_be_had(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    service.voices = [{"id": "heart", "name": "Heart"}]
    service.voices_refusal = (502, "The voice took too long.")
    await join(page, service.url, room_name)
    await page.wait_for_timeout(500)
    await expect(page.get_by_label("Text to say")).to_be_hidden()
    service.voices_refusal = None
    await expect(page.get_by_label("Text to say")).to_be_visible(timeout=10_000)
    service.voices_refusal = (502, "The voice took too long.")
    service.unreachable = True
    await expect(page.locator("#banner")).to_be_visible(timeout=10_000)
    service.unreachable = False
    await expect(page.locator("#banner")).to_be_hidden(timeout=15_000)
    await expect(page.get_by_label("Text to say")).to_be_visible()


async def test_says_that_the_service_does_not_answer_and_recovers(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    await join(page, service.url, room_name)
    service.unreachable = True
    banner = page.locator("#banner")
    await expect(banner).to_contain_text("does not answer", timeout=10_000)
    assert await page.evaluate("mouthpiece.phase") == "listening"
    service.unreachable = False
    await expect(banner).to_be_hidden(timeout=15_000)


async def test_recovers_from_a_cut_connection(
    page: Page, service: FakeService, livekit: LiveKit, avatar: FakeAvatar, room_name: str
) -> None:
    async with CuttableProxy(livekit.url) as proxy:
        service.livekit_url = proxy.url
        await join(page, service.url, room_name)
        proxy.cut()
        await until(page, "mouthpiece.phase === 'reconnecting'")
        await expect(page.get_by_role("status").first).to_have_text("Reconnecting…")
        proxy.restore()
        await until(page, "mouthpiece.phase === 'listening'", 30)
        await pictures_move(page)


async def test_joins_again_after_a_restart_of_the_livekit_server(
    page: Page, service: FakeService, livekit_binary: Path, room_name: str
) -> None:
    port = livekit_server.free_port()
    async with livekit_server.run_server(livekit_binary, port=port) as first:
        service.livekit_url = first.url
        await join(page, service.url, room_name, phase="coming")
    await until(page, "mouthpiece.phase === 'reconnecting'")
    async with livekit_server.run_server(livekit_binary, port=port) as second, FakeAvatar(second, room_name):
        await until(page, "mouthpiece.phase === 'listening'", 90)
        await pictures_move(page)


async def test_returns_to_the_room_after_a_reload(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    await join(page, service.url, room_name)
    await page.reload()
    await expect(page.locator("#lobby-note")).to_have_text(f"Room {room_name}")
    await page.keyboard.press("Enter")
    await until(page, "mouthpiece.phase === 'listening'")


async def test_opens_a_new_room_and_keeps_it_in_the_address(page: Page, service: FakeService) -> None:
    await page.goto(service.url)
    await page.get_by_role("button", name="Join").click()
    await until(page, "mouthpiece.phase === 'coming'")
    await expect(page).to_have_url(re.compile(r"\?room=fresh-room$"))


async def test_says_why_it_ended_and_joins_again(
    page: Page, service: FakeService, livekit: LiveKit, avatar: FakeAvatar, room_name: str
) -> None:
    await join(page, service.url, room_name)
    async with api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as server:
        await server.room.remove_participant(
            api.RoomParticipantIdentity(room=room_name, identity=(await viewers(server, room_name))[0])
        )
    await until(page, "mouthpiece.phase === 'ended'")
    await expect(page.locator("#lobby-text")).to_have_text("You were removed from the room.")
    await page.get_by_role("button", name="Join again").click()
    await until(page, "mouthpiece.phase === 'listening'")


async def test_says_that_the_livekit_server_does_not_answer(
    page: Page, service: FakeService, livekit: LiveKit, room_name: str
) -> None:
    service.livekit_url = "ws://127.0.0.1:9"
    await page.goto(f"{service.url}/?room={room_name}")
    await page.get_by_role("button", name="Join").click()
    await until(page, "mouthpiece.phase === 'failed'", 60)
    await expect(page.locator("#lobby-text")).to_have_text(
        "The LiveKit server at ws://127.0.0.1:9 does not answer. Check that this device can reach that address."
    )


async def test_says_that_the_service_does_not_answer_on_joining(
    page: Page, service: FakeService, room_name: str
) -> None:
    await page.goto(f"{service.url}/?room={room_name}")
    service.unreachable = True
    await page.get_by_role("button", name="Join").click()
    await until(page, "mouthpiece.phase === 'failed'")
    await expect(page.locator("#lobby-text")).to_contain_text("The service does not answer.")


async def test_can_be_used_with_the_keyboard_alone(
    page: Page, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    await join(page, service.url, room_name)
    await page.locator("body").press("s")
    await until(page, "mouthpiece.phase === 'speaking'")
    await page.locator("body").press("Escape")
    await until(page, "mouthpiece.phase === 'listening'", 5)
    await page.locator("body").press("m")
    assert await page.evaluate("document.querySelector('audio').muted")
    reached = set()
    for _ in range(12):
        await page.keyboard.press("Tab")
        focused, outline = await page.evaluate(
            "[document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle]"
        )
        assert outline != "none" or focused == "", (
            focused
        )  # none on the body: tabbing passes through the browser's own controls
        reached.add(focused)
    assert {"mute", "captions-toggle", "leave", "sample", "choose", "help"} <= reached


async def test_turns_the_sound_on_where_the_browser_blocked_it(
    page: Page, livekit: LiveKit, service: FakeService, avatar: FakeAvatar, room_name: str
) -> None:
    # The page's own clicks are not the viewer's. The first may come before the page listens to the button.
    await page.add_init_script(
        "setInterval(() => { const join = document.querySelector('#join');"
        " if (join?.offsetParent && !join.disabled) join.click(); }, 1000)"
    )
    await page.goto(f"{service.url}/?room={room_name}")
    # Any question to the page would count as an act of the viewer.
    async with api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as server, asyncio.timeout(30):
        while not await viewers(server, room_name):  # noqa: ASYNC110 (the server sends no event)
            await asyncio.sleep(0.2)
    await asyncio.sleep(4)
    await page.get_by_role("button", name="Turn the sound on").click()
    await expect(page.get_by_role("button", name="Turn the sound on")).to_be_hidden()
    await page.set_input_files("#file", LONG)
    await until(page, "mouthpiece.phase === 'speaking'")
    assert await energy_over(page, 0.5) > 100 * SILENCE
    assert await page.evaluate("!document.querySelector('audio').paused")


async def viewers(server: api.LiveKitAPI, room: str) -> list[str]:
    found = await server.room.list_participants(api.ListParticipantsRequest(room=room))
    return [one.identity for one in found.participants if one.identity.startswith("viewer-")]


def sample_name(service: FakeService) -> str:
    return next(path.name for path in service.page.glob("assets/*.wav"))
