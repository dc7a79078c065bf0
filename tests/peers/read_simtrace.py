"""Reads a simulated drive with the community's own tools, and judges its parameters with another geometry library.

    python3 -m venv venv && venv/bin/pip install deepracer-utils shapely
    cargo test --test sim_trace && venv/bin/python tests/peers/read_simtrace.py target/tmp/simtrace

deepracer-utils has to load the CSV as a model's folder and the log as the simulator's, with the same drive in both.
Shapely computes what AWS's simulator computes of the same points: distances, progress along the line, way-points,
wheels. Fails at the first difference.
"""

import bisect
import json
import sys
from pathlib import Path

from deepracer.logs import AnalysisUtils, DeepRacerLog, SimulationLogsIO
from shapely.geometry import LinearRing, LineString, Point, Polygon


def load(folder):
    log = DeepRacerLog(model_folder=str(folder))
    log.load_training_trace(ignore_metadata=True)
    table = log.dataframe()
    lines = SimulationLogsIO.convert_to_pandas(SimulationLogsIO.load_data(str(folder / "simulation.log")))
    assert len(table) == len(lines) > 100, (len(table), len(lines))
    for name in ["x", "y", "yaw", "progress", "reward", "steering_angle", "speed", "tstamp"]:
        apart = (table[name].astype(float) - lines[name].astype(float)).abs().max()
        assert apart <= 0.0051, (name, apart)
    for name in ["episode", "steps", "closest_waypoint", "on_track", "done", "episode_status"]:
        assert list(table[name]) == list(lines[name]), name
    assert table["wall_clock"].notna().all() and (table["pause_duration"] == 0).all()
    episodes = AnalysisUtils.simulation_agg(table)
    print(episodes[["episode", "steps", "start_at", "progress", "time", "complete"]].to_string())
    assert list(episodes["complete"]) == [1, 0], "one lap, one off the track"
    return table


def judge(folder, table):
    centre, inner, outer = json.loads((folder / "track.json").read_text())
    line, road = LinearRing(centre), Polygon(outer, [inner])
    marks = [line.project(Point(point)) for point in centre] + [line.length]
    worst, count = 0.0, 0
    for step, row in zip((folder / "params.jsonl").read_text().splitlines(), table.itertuples()):
        step = json.loads(step)
        nose = Point(step["x"], step["y"])
        along = line.project(nose)
        there = line.interpolate(along)
        following = bisect.bisect_right(marks, along)
        behind, ahead = step["closest_waypoints"]
        # A nose that is nearest to a way-point itself lies on both of its segments.
        assert [behind, ahead] == [following - 1, following] or abs(along - marks[behind]) < 1e-9, step
        edges = [edge.interpolate(edge.project(there)) for edge in (LinearRing(inner), LinearRing(outer))]
        for key, wanted in {
            "distance_from_center": nose.distance(there),
            "projection_distance": along,
            "track_length": line.length,
        }.items():
            worst = max(worst, abs(step[key] - wanted))
            assert abs(step[key] - wanted) < 1e-9, (key, step[key], wanted)
        # AWS measures to the nearest points of the borders, we between its way-points' own.
        assert abs(step["track_width"] - edges[0].distance(edges[1])) < 0.02, step["track_width"]
        left = nose.distance(edges[0]) < nose.distance(edges[1])
        assert step["is_left_of_center"] == left or step["distance_from_center"] < 0.01, step
        if step["is_offtrack"]:
            assert not road.contains(nose) or LineString(outer).distance(nose) < 0.3
        nearest = min((nose.distance(Point(step["waypoints"][index])), index) for index in (behind, ahead))
        assert row.closest_waypoint == nearest[1] or nose.distance(there) < 1e-9
        count += 1
    print(f"{count} steps judged; largest difference of a distance {worst:.1e} m")


if __name__ == "__main__":
    place = Path(sys.argv[1])
    judge(place, load(place))
