from torchvin.evaluation.published import VIN_PAPER, VIN_TABLE_1, PublishedScore


def test_the_table_is_the_papers():
    """Table 1 of the NIPS paper, typed a second time: loss, success, trajectory difference."""
    expected = {
        "VIN": {8: (0.004, 0.996, 0.001), 16: (0.05, 0.993, 0.089), 28: (0.11, 0.97, 0.086)},
        "CNN": {8: (0.02, 0.979, 0.006), 16: (0.10, 0.876, 0.06), 28: (0.13, 0.742, 0.078)},
        "FCN": {8: (0.01, 0.973, 0.004), 16: (0.07, 0.883, 0.05), 28: (0.09, 0.766, 0.08)},
    }
    assert {
        network: {side: PublishedScore(*numbers) for side, numbers in rows.items()}
        for network, rows in expected.items()
    } == VIN_TABLE_1
    assert "1602.02867" in VIN_PAPER
