from app.main import app

CAT = {"x": 50, "y": 50, "width": 20, "height": 20, "label": "cat", "score": 0.9}


def test_is_healthy():
    assert app.test_client().get("/health").json == {"status": "ok"}


def test_counts_detections():
    dog = {**CAT, "label": "dog", "score": 0.6}
    answer = app.test_client().post("/detections", json={"boxes": [CAT, dog]})
    assert answer.json == {"count": 2, "labels": ["cat", "dog"]}


def test_the_caller_sets_how_sure_is_sure():
    answer = app.test_client().post("/detections", json={"boxes": [CAT], "min_score": 0.95})
    assert answer.json == {"count": 0, "labels": []}


def test_tells_what_is_wrong_with_a_request():
    answer = app.test_client().post("/detections", json={"boxes": [{"x": 1}]})
    assert answer.status_code == 400
    assert "bad boxes" in answer.json["error"]
