from matplotlib.figure import Figure

from torchvin.plotting.curves import plot_history


def test_learning_curves_show_failures_in_percent(tmp_path, monkeypatch):
    found = []
    monkeypatch.setattr(Figure, "savefig", lambda self, path, **options: found.append(self) or path.touch())
    rows = [{"epoch": 1, "loss": 2.0, "success_rate": 0.5, "optimal_rate": 0.25}]
    rows.append({"epoch": 2, "loss": 1.0, "success_rate": 1.0, "optimal_rate": 0.5})
    plot_history(rows, tmp_path / "history.png")
    loss, rates = found[0].axes
    assert loss.lines[0].get_xydata().tolist() == [[1, 2.0], [2, 1.0]]
    assert [line.get_ydata().tolist() for line in rates.lines] == [[50.0, 1e-3], [75.0, 50.0]]
