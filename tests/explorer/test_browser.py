"""The explorer in a real browser, opened from disk."""

import pytest

from tests.explorer.browser import CHROMIUM, Browser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
AT = "window.at = (id) => document.getElementById(id)"
CLIP = "#/one/tsn/vdsr/spatial/clip/c/two"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def visit(browser, written):
    """Open a place of the page; afterwards nothing may have gone wrong."""

    def visit(place="", page=written):
        browser.open(f"file://{page}/index.html{place}")
        browser.js(AT)
        return browser

    browser.events.clear()
    yield visit
    assert browser.faults() == []


def test_all_numbers_equal_the_tables(visit):
    page = visit("#/")
    page.wait("document.querySelector('#check') !== null")
    assert page.js("at('check').textContent").startswith(
        "All 40 numbers were computed here"
    )
    assert page.js("document.querySelectorAll('td.differs').length") == 0


def test_from_a_cell_to_a_clip_that_flipped_in_two_clicks(visit):
    page = visit("#/")
    page.wait("document.querySelector('#check') !== null")
    page.click('a[href="#/one/tsn/vdsr/spatial"]')
    page.wait("document.querySelector('#fixed a') !== null")
    assert "fixed 1, regressed 0" in page.js("at('summary').textContent")
    page.click("#fixed a")
    page.wait("location.hash.endsWith('/clip/c/two')")
    page.wait("document.querySelector('#pictures canvas') !== null")
    assert page.js("document.querySelector('h2').textContent") == "c/two"
    page.wait("document.querySelectorAll('#scores .bar').length > 0")


def pixels(canvas):
    return (
        f"(({{width, height}}, it) => [...it.getContext('2d').getImageData(0, 0, width,"
        f" height).data].filter((_, n) => n % 4 < 3).reduce((a, b) => a + b, 0))"
        f"({canvas}, {canvas})"
    )


SPLIT = "document.querySelector('canvas.split')"
PROFILE = "document.querySelectorAll('.pair canvas')[1]"


@pytest.mark.parametrize(
    ("canvas", "across", "down", "moved", "to"),
    [(SPLIT, 0.9, 0.5, "split", 0.9), (PROFILE, 0.5, 0.1, "row", 0.1)],
    ids=["line", "row"],
)
def test_what_is_dragged_changes_what_is_drawn(visit, canvas, across, down, moved, to):
    page = visit(CLIP)
    page.wait(f"{PROFILE}.height === 6 && {pixels(canvas)} > 0")
    before = page.js(pixels(canvas))
    page.drag("canvas.split", across, down)
    assert page.js(f"Number(at('{moved}').value)") == pytest.approx(to, abs=0.02)
    assert page.js(pixels(canvas)) != before


def test_frames_are_moved_by_keys(visit):
    page = visit(CLIP)
    page.wait("document.querySelector('#frame') !== null")
    page.js("at('frame').focus()")
    before = page.js("Number(at('frame').value)")
    page.key("ArrowLeft", 37)
    assert page.js("Number(at('frame').value)") == before - 1


def test_a_table_is_walked_by_keys(visit):
    page = visit("#/")
    page.wait("document.querySelector('#check') !== null")
    page.js("at('main').focus()")
    page.key("Tab", 9)
    href = page.js("document.activeElement.getAttribute('href')")
    assert href == "#/one/tsn/bicubic/spatial"
    page.key("Enter", 13)
    page.wait("document.querySelector('#summary') !== null")


def test_it_plays(visit):
    page = visit(CLIP)
    page.wait("document.querySelector('#play') !== null")
    before = page.js("at('frame').value")
    page.click("#play")
    page.wait(f"at('frame').value !== '{before}'")
    page.click("#play")
    assert page.js("at('play').textContent") == "Play"


def test_other_methods_are_chosen_and_the_place_is_a_link(visit):
    page = visit(CLIP)
    page.wait("document.querySelector('#pictures select') !== null")
    page.js(
        "(() => { const it = document.querySelector('#pictures select');"
        " it.value = 'low-resolution'; it.dispatchEvent(new Event('change')); })()"
    )
    page.wait("location.hash.includes('left=low-resolution')")
    page.wait("document.querySelector('#pictures select').value === 'low-resolution'")


def test_classes_and_names_are_filtered(visit):
    page = visit("#/two/tsn/hr/temporal?class=Ben")
    page.wait("document.querySelector('#fixed') !== null")
    clips = "[...document.querySelectorAll('ul.clips li:not([hidden])')]"
    assert page.js(f"{clips}.every((each) => each.textContent.startsWith('Ben/'))")
    assert page.js(f"{clips}.length") == 10
    page.js("at('find').value = '/3'; at('find').dispatchEvent(new Event('input'))")
    assert page.js(f"{clips}.map((each) => each.textContent)") == ["Ben/3"]


def test_mcnemar_is_exact(visit):
    page = visit("#/")
    assert page.js("mcnemar(0, 0)") == 1
    assert page.js("mcnemar(8, 1)") == pytest.approx(0.0390625)
    assert page.js("mcnemar(300, 250)") == pytest.approx(0.03664, abs=1e-4)


def test_a_number_that_differs_stands_on_red(visit, written, tmp_path):
    text = (written / "index.html").read_text()
    assert text.count('"vdsr":{"spatial":20.0') == 1
    other = text.replace('"vdsr":{"spatial":20.0', '"vdsr":{"spatial":25.0')
    (tmp_path / "index.html").write_text(other)
    page = visit("#/", tmp_path)
    page.wait("document.querySelector('#check') !== null")
    assert page.js("at('check').textContent").startswith("1 of 40 numbers differ")
    assert page.js("document.querySelector('td.differs').title") == "the table says 25"


def test_a_method_without_scores_of_a_stream_is_not_compared_with_itself(visit):
    page = visit("#/two/tsn/hr/spatial?against=pair")
    page.wait("document.querySelector('h2') !== null")
    assert page.js("document.querySelector('h2').textContent") == "HR beside Bicubic"
    page = visit("#/two/net/hr/spatial?against=nonsense")
    page.wait("main.textContent.includes('HR beside Bicubic')")
    assert "here clips count" in page.js("at('summary').textContent")


def test_a_pair_shows_the_frames_of_one_and_the_flow_of_the_other(visit):
    page = visit("#/one/tsn/pair/fusion/clip/c/two?left=nonsense")
    page.wait("document.querySelectorAll('figcaption').length > 1")
    said = (
        "[...document.querySelectorAll('figcaption')].map((each) => each.textContent)"
    )
    left, right, *_ = page.js(said)
    assert left.startswith("Bicubic: flow")
    assert right.startswith("Pair: flow (full colour")
    names = {url.rsplit("/", 1)[1] for url in page.requests()}
    assert {"frames-bicubic.webp", "flow-bicubic.webp", "flow-vdsr.webp"} <= names


def test_low_resolution_has_no_flow(visit):
    page = visit(f"{CLIP}?left=low-resolution")
    page.wait("document.querySelectorAll('figcaption').length > 1")
    said = page.js("document.querySelector('.pair figcaption').textContent")
    assert said == "low resolution: row over time"


def test_places_that_are_not_there_are_named(visit):
    page = visit("#/nowhere/tsn/vdsr/spatial")
    page.wait("main.textContent.includes('no such data set')")
    page = visit("#/one/tsn/vdsr/spatial/clip/c/nine")
    page.wait("main.textContent.includes('has no test clip c/nine')")


def test_it_fits_a_phone(written, tmp_path):
    browser = Browser(tmp_path, width=400, height=800)
    try:
        for place in ("#/", "#/two/tsn/hr/temporal", CLIP):
            browser.open(f"file://{written}/index.html{place}")
            browser.wait("document.readyState === 'complete'")
            assert browser.js("document.documentElement.scrollWidth <= innerWidth"), (
                place
            )
    finally:
        browser.close()
