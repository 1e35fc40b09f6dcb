"""The web service: boxes in, detections out."""

from flask import Flask, jsonify, request

from app.yolo_detect import detect, from_centre

app = Flask(__name__)


@app.get("/health")
def health():
    return jsonify(status="ok")


@app.post("/detections")
def detections():
    body = request.get_json()
    try:
        boxes = [from_centre(**raw) for raw in body["boxes"]]
    except (KeyError, TypeError) as error:
        return jsonify(error=f"bad boxes: {error}"), 400
    found = detect(boxes, min_score=body.get("min_score", 0.5))
    return jsonify(count=len(found), labels=[box.label for box in found])
