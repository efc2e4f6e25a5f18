"""In a notebook: progress in one output, figures, sets and networks that show themselves."""

from __future__ import annotations

import nbclient
import nbformat

CELLS = (
    "import mxtune\nimages = mxtune.mximages(mxtune.mxexample('fashion'))\nimages",
    "model = mxtune.mxtrain(images, tune='head')",
    "model.plot()",
    "model.network",
)


def test_notebook_shows_progress_sets_plots_and_networks() -> None:
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    done = nbclient.NotebookClient(nbformat.v4.new_notebook(cells=cells), kernel_name="python3").execute()
    looked, trained, plotted, network = (cell.outputs for cell in done.cells)
    assert "data:image/" in looked[-1].data["text/html"]  # the contact sheet
    assert [output.output_type for output in trained] == ["display_data"]  # rewritten in place, and no warning
    assert "head 1/1  train_loss" in trained[0].data["text/plain"]
    assert "image/png" in plotted[-1].data
    assert "<table" in network[-1].data["text/html"]
