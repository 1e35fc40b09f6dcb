import subprocess


def hourglass(*arguments):
    return subprocess.run(["hourglass", *arguments], capture_output=True, text=True)


def test_formats_seconds():
    assert hourglass("5400").stdout == "1h 30m\n"


def test_converts_to_a_unit():
    assert hourglass("1h30m", "--in", "minutes").stdout == "90\n"


def test_tells_a_mistake_and_fails():
    done = hourglass("soon")
    assert done.returncode == 2
    assert done.stderr == "hourglass: not a duration: 'soon'\n"
