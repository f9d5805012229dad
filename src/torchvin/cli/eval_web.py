"""`torchvin eval` of weights that walk on webs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torchvin.errors import InputError

if TYPE_CHECKING:
    from torchvin.cli.eval import Arguments
    from torchvin.data.corpora.web import Vectors
    from torchvin.policies.web.policy import WebPolicy

SPLITS = ("test", "validation", "train")


def run(policies: "Mapping[str, WebPolicy]", arguments: "Arguments") -> None:
    """Score on the hidden queries of a web, print."""
    from torchvin.cli.output import percent, print_json, print_table
    from torchvin.data.corpora.web import open_web
    from torchvin.evaluation.web import draw_episodes, evaluate_web
    from torchvin.io.progress import progress_bar
    from torchvin.policies.web.observation import Pages

    split = "test" if arguments.split == "auto" else arguments.split
    if split not in SPLITS:
        raise InputError(f"--split of a web must be one of {', '.join(SPLITS)}, got {split!r:.40}.")
    if arguments.iterations == "auto" or arguments.solve or arguments.caution is not None:
        raise InputError("--iterations auto, --solve and --caution are of weights that plan on maps.")
    if arguments.device == "cuda":
        raise InputError("policies of webs walk on the CPU, where the pages stay. Use --device cpu or auto.")
    vectors: dict[str, Vectors] = {name: getattr(policy.config, "vectors", "none") for name, policy in policies.items()}
    pages = {kind: Pages(open_web(arguments.data, kind)) for kind in dict.fromkeys(vectors.values())}
    results: dict[str, dict[str, Any]] = {}
    for name, policy in policies.items():
        seen = pages[vectors[name]]
        episodes = draw_episodes(seen.web, split)
        with progress_bar(f"walking: {name}", len(episodes)) as advance:
            scores = evaluate_web(policy, seen, episodes, num_iterations=arguments.iterations, on_progress=advance)
        results[name] = {**scores.summary(), "split": split}
    if arguments.json:
        rows = [{"weights": name, **result} for name, result in results.items()]
        print_json(rows[0] if len(rows) == 1 else {"rows": rows})
        return
    shown: dict[str, list[str]] = {
        "success rate, greedy walk": [percent(result["success_rate"]) for result in results.values()],
        "  95 % interval, over walks": [f"+- {percent(result['interval'])}" for result in results.values()],
        "success rate, beam of four": [percent(result["beam_success_rate"]) for result in results.values()],
        "teacher-forced, four best": [percent(result["teacher_forced_rate"]) for result in results.values()],
        "links more than needed": [f"{result['extra_links']:.2f}" for result in results.values()],
    }
    for steps in sorted({steps for result in results.values() for steps in result["by_distance"]}):
        counts = [result["by_distance"].get(steps, [0, 0]) for result in results.values()]
        shown[f"success at distance {steps}"] = [f"{found} of {walks}" for found, walks in counts]
    print_table(("", *results), [(name, *cells) for name, cells in shown.items()], title=f"{seen.web.source}, {split}")
    print(
        "Targets are pages of this split that four hidden sentences describe. Walks begin at random 1 to 4 links away, "
        "and may take two links more than needed."
    )
