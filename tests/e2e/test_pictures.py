"""Odd pictures in the browser: upright and as workers see them, so that boxes lie on what they were found in."""

import base64

import numpy as np
import pytest
from playwright.sync_api import Page

from contract.picture import picture_extent
from tests.helpers.odd_pictures import HEIGHT, ODD, SMALL, UNSEEN, WIDTH, difference

pytestmark = pytest.mark.e2e

# As the page does it, either way (dashboard/src/lib/decode.ts), and then read back.
SHOW = """
async ([way, reduced, data, type, width, height]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const bitmap = way === 'bitmap'
    ? await createImageBitmap(new Blob([bytes], { type }))
    : (await new ImageDecoder({ type, data: bytes, preferAnimation: false, ...reduced }).decode()).image;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  const size = [bitmap.displayWidth ?? bitmap.width, bitmap.displayHeight ?? bitmap.height];
  bitmap.close();
  // As text: of a list, each number is told by itself, which takes ten times as long as all the rest.
  const pixels = context.getImageData(0, 0, width, height).data;
  return [...size, btoa(Array.from(pixels, (byte) => String.fromCharCode(byte)).join(''))];
}
"""


@pytest.mark.parametrize("way", ["bitmap", "decoder", "decoder at 2/8"])
def test_the_browser_sees_what_the_worker_sees(page: Page, way: str) -> None:
    page.route("http://127.0.0.1/", lambda route: route.fulfill(body="<p>", content_type="text/html"))
    page.goto("http://127.0.0.1/")  # only secure contexts have the decoder
    quarter = (WIDTH // 4, HEIGHT // 4)
    reduced = way == "decoder at 2/8"
    size = dict(zip(("desiredWidth", "desiredHeight"), quarter, strict=True)) if reduced else {}
    sizes = {(WIDTH, HEIGHT), quarter} if reduced else {(WIDTH, HEIGHT)}  # PNG is not reduced
    wrong = {}
    for name, make in ODD.items():
        picture = make()
        found = picture_extent(picture)  # workers send what they cut out
        shown_to = [base64.b64encode(found.cut(picture)).decode(), found.content_type]
        width, height, data = page.evaluate(SHOW, [way, size, *shown_to, *SMALL])
        shown = np.frombuffer(base64.b64decode(data), np.uint8).reshape(SMALL[1], SMALL[0], 4)[:, :, 2::-1]
        off = 0.0 if name in UNSEEN else difference(np.ascontiguousarray(shown), name)
        if (width, height) not in sizes or off > 8:
            wrong[name] = (width, height, off)
    assert wrong == {}
