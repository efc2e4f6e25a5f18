"""`mxtrain`: from images to a model."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Optional, Union

import numpy as np

from .. import interrupts, progress
from ..arguments import yes_or_no
from ..engines import Target, choose
from ..errors import ArgumentError, TrainingWarning
from ..images import ImageSet, looks
from ..images.augment import Augment
from ..images.findings import warn
from ..images.groups import Groups
from ..images.imageset import SHARE
from ..images.loader import Loader
from ..images.roles import Split
from ..model import leak
from ..model.meta import checked
from ..model.model import Model
from ..network import Network
from .budget import Budget, cut
from .callbacks import AnyCallback, as_list
from .features import Cache, fingerprint, kept_in
from .folds import folds_of
from .full import FullRun
from .int8 import in_int8, refuse_layers
from .network import check_weights, choice_for, facts_of, learned_before, open_network, warn_of_learned
from .options import Options
from .pictures import hold_out, is_auto, look_at
from .plan import Plan, decide, guesses
from .problem import Problem
from .run import Run, interruption
from .state import Checkpoint

PathLike = Union[str, "os.PathLike[str]"]
_SMALL = 64  # images with a shorter side below this are enlarged, and hardly zoomed


def mxtrain(
    x: Any,
    y: Any = None,
    net: Union[PathLike, Network, Model] = "auto",
    tune: str = "auto",
    epochs: Optional[int] = None,
    valid: Any = "auto",
    image_size: Union[int, tuple[int, int], None] = None,
    batch_size: Optional[int] = None,
    lr: Optional[float] = None,
    schedule: str = "cosine",
    augment: Union[str, bool, Mapping[str, Any], Augment] = "auto",
    class_weights: Union[str, Mapping[str, float], Sequence[float], None] = None,
    patience: Optional[int] = None,
    restore_best: bool = True,
    device: Union[str, Sequence[str]] = "auto",
    precision: str = "auto",
    seed: int = 0,
    cache: Cache = None,
    checkpoint: Optional[PathLike] = None,
    resume: bool = False,
    callbacks: Union[AnyCallback, Sequence[AnyCallback], None] = None,
    verbose: Optional[int] = None,
    groups: Groups = None,
    range: Union[str, Sequence[float], None] = None,  # noqa: A002 - what is asked for
    path: Optional[str] = None,
    label: Union[str, Sequence[str], None] = None,
    root: Optional[PathLike] = None,
    split: Split = None,
    meta: Optional[Mapping[str, Any]] = None,
    task: Optional[str] = None,
    head: str = "auto",
    folds: Union[str, int, None] = "auto",
    engine: str = "auto",
    deterministic: bool = False,
    time_budget: Union[float, timedelta, None] = None,
    workers: Union[int, str, None] = None,
) -> Model:
    """A `Model`: a pretrained network, fine-tuned on your images.

    The head is trained to convergence on the features of every stage of the frozen network (the idea of
    Head2Toe: Evci et al., 2022). Then, if asked for, layers are trained from there. Ctrl-C ends the training and
    returns the best model so far.

    Parameters
    ----------
    x, y
        Images and their labels: all that `mximages` takes, or what it returns. Strings ask for classification,
        numbers for regression, a 0/1 matrix or label sets for multilabel.
    net
        A name that `mxzoo` lists, a file or repository (``"hf:timm/resnet18.a1_in1k"``) that `mxnetwork` opens, a
        `Network`, or a `Model` to continue from.
        ``"auto"`` chooses among EfficientNet-Lite0, Lite1 (for images of 75 pixels or more on the shorter side) and
        Lite2 (of 260 or more), the larger ones while training takes at most 2e12 multiply-accumulates, which is a few
        hundred images; it is the same on every machine.
    tune
        ``"head"``; ``"tail"``: then the layers of the last resolution; ``"all"``: then every layer that is not
        frozen; ``"auto"``: the head, then the tail while validation improves. A network without weights is
        trained whole. BatchNorm's statistics move where all layers are trained from the start; behind a head they stay
        those that it was fitted under.
    epochs
        Maximum epochs of the tail or of all; chosen by the number of images if None.
    valid
        The share of images to validate on, stratified, above 0 and below 1; or images held out for it, as
        `mximages` takes them; or None for no validation. ``"auto"``: `folds` where the head alone is trained, else 0.2.
    image_size
        Height and width (pixels) of the network's input; its own if None, smaller for small images.
    batch_size
        Images per step, at most as many as there are; 32 (64 from 5,000 images on) if None.
    lr
        Highest learning rate of AdamW; if None 5e-5 for the tail, for all 3e-4 (5e-4 from 5,000 images on, 2e-3 for
        a light network such as LeNet), for a network without weights 1e-3.
    schedule
        ``"cosine"`` or ``"constant"``, both after a short rise.
    augment
        ``"auto"``, ``"light"``, ``"none"``, or settings of `Augment` by name: how training images vary when
        layers are trained.
    class_weights
        How much the images of each class count: ``"balanced"``; factors by name, as a dict or a series (1 if a
        class is not named); or a list in the order of the classes.
    patience
        Epochs without a lower validation loss after which a phase ends; 0 for never; chosen by the phase if None.
    restore_best
        Whether the weights of the epoch with the lowest validation loss are kept, or the last ones.
    device
        ``"auto"``, ``"cpu"``, ``"gpu"``, ``"gpu:1"``, or several: each takes its share of every batch.
    precision
        ``"auto"``, the engine's own, or one that it offers: MXNet ``"float32"``, PyTorch ``"bfloat16"``, too. MXNet's
        ``"int8"``, on CPUs with VNNI, computes the features of the head in it, with ranges of up to 128 training
        images: the metrics are those of int8, and the model predicts in it where that can be had, or else in float32 by
        the same head. For a model that was trained in float32 see `Model.quantize`.
    seed
        0 to 2**31 - 1. The same seed gives the same bytes on the same machine; on a GPU with `deterministic`.
    cache
        The folder in which features of the frozen network are kept between runs, each by its image's content: the next
        training on the same images starts at once, one with others computes those that are new. None or True: that of
        `mxcache`, which shows and empties it; False: nothing is kept. Beyond 2 GB (the environment variable
        ``MXTUNE_CACHE_GB``) those not used for longest are removed. The model is the same, byte for byte. Features are
        no images, but tell something of them: only you can read the folder. One that you can't write to, but that holds
        something, is read. Where layers are trained on more images
        than fit in 512 MB, these are kept, too, decoded, as small as the network takes them.
    checkpoint
        A file that is written after each epoch.
    resume
        Whether to continue from `checkpoint`, if it exists. The result is that of an uninterrupted run.
    callbacks
        `Callback` objects or functions of epoch and metrics; returning False ends the training.
    verbose
        0 for nothing, 1 for a line per epoch, 2 for a bar; None chooses by where it runs.
    groups
        Images that belong together, as in `mximages`: no patient, animal or burst is in both training and
        validation.
    range
        The pixel values of black and white in images of more than 8 bits, as in `mximages`. The model keeps it, or
        what was decided, and treats all images alike.
    path, label, root
        Of a table: its columns of paths and of labels, and the folder that the paths start from; see `mximages`.
    split
        What each image is for, as `mximages` has it: those for train are trained on; those for valid are validated
        on, in place of `valid`; those for test are neither, and are left for `Model.evaluate`, which has `split`, too.
    meta
        Information kept in the model: ``title``, ``author``, ``notes``, ``date``, any of them; `Model.summary`
        shows them. None by default, so that the same training gives the same bytes on any day.
    task
        ``"classification"``, ``"regression"`` or ``"multilabel"``, if the labels suggest another task: numbered
        classes, for example.
    head
        What the new head takes: ``"every stage"`` of the network, or its ``"last features"``, as its own classifier
        does: for a network that is to be loaded elsewhere, such as in timm. ``"auto"``: every stage, where the network
        has learned weights and it is worth its cost.
    folds
        Cross-validation: the images are divided into so many folds (3 to 20), stratified, copies and groups whole, and
        each is predicted by a head that was trained on the other folds: see `Model.out_of_fold`. The metrics are
        those of these predictions, the strength of the penalty is chosen on other folds than the one reported, and the
        model itself learns from all images. ``"full"``: for layers that are trained, too, by 5 more trainings.
        ``"auto"``: 5 where the head alone is trained, `valid` is not given, and there are 20 to 100,000 images, of
        which the model can remember all outputs (a million); None for none.
    engine
        What computes: ``"mxnet"``, ``"torch"`` (PyTorch, the extra ``torch``), or ``"auto"``: MXNet, unless it is not
        installed or has no code for a GPU that PyTorch can use. The environment variable ``MXTUNE_ENGINE`` is what
        ``"auto"`` means. The model predicts there, too.
    deterministic
        Whether the same seed gives the same bytes on a GPU, too, as it always does on the CPU. It is slower there; what
        can't be computed so is an error. PyTorch's modes are set while it computes, and then again what they were.
        MXNet does not offer it on GPUs. Where memory is short, batches are divided, which changes the last bits.
    time_budget
        Seconds (or a ``timedelta``) that the training may take, from the first look at the images to the model. The
        size of the images (where neither you nor the network settled it), the phases and the epochs are cut to what
        this machine was measured to do in them, which takes a second of it; if the machine becomes busy, the training
        ends early with the best model so far. It never makes a training longer: seconds that are not needed are not
        spent. `Model.summary` says what each phase took and gave, and the arguments that give the same training without
        it, unless it ended early.
    workers
        How many processes of this machine compute; or the address of a Ray cluster whose machines do,
        ``"ray://host:10001"``, or ``"auto"`` for the one that this machine belongs to (extra ``ray``). Features are the
        same bytes. One that is lost is replaced, and what a slow one holds up is done by another, too. Images are
        checked, and the head is trained, by this process, which holds the features: for a million images some 20 GB of
        EfficientNet-Lite0, and 5 GB with ``head="last features"``, in memory, or else in a file in the folder of
        `cache`. The workers read the files by the same paths; images in memory are sent to each.
        Layers are trained on CPUs by processes of this machine (Linux): each has its share of every batch, gradients
        are summed, and all take the same step. That is what one process learns, but for the order of sums, and the same
        bytes each time with as many processes. Where one is lost the epoch begins anew. Only BatchNorms whose
        statistics move, in a network without weights, see a share each: this is told. A cluster trains layers, on the
        CPUs of its machines, where `tune` asks for it, and in a network without weights; ``"auto"`` is there
        ``"head"``. Each machine has its share of every batch, which this process reads and sends; gradients go from
        machine to machine in every step, several MB of them, and all wait for the slowest. One that is lost leaves
        its share to the others.

    Raises
    ------
    PictureError
        Images can't be read; all are named.
    LabelError
        There are no labels, only one class, or labels that don't fit.
    ArgumentError
        An argument has a value that can't be used.
    CheckpointError
        The checkpoint is damaged, or belongs to other images or settings.
    TrainingError
        The loss is not a number, a callback failed, or images or the checkpoint's disk became unavailable;
        ``model`` holds the best model so far, or None.
    KeyboardInterrupt
        Ctrl-C came before anything was learned; or a second time, and its ``model`` is the best so far.

    Warns
    -----
    TrainingWarning
        A network without weights is to learn from few images, a `Model` that is continued has learned images that are
        to validate, or settings have no use since the head alone is trained: before the first epoch. The training was
        interrupted, by Ctrl-C or SIGTERM: when it has ended; the warning's ``model`` is the model, also where warnings
        are errors.

    Examples
    --------
    >>> from mxtune import mxexample, mxtrain
    >>> model = mxtrain(mxexample("fashion"), tune="head", verbose=0)
    >>> model.metrics["accuracy"] > 0.7
    True
    """
    arguments = locals()
    with interrupts.watching() as watch:
        with progress.using(progress.default(verbose)):
            model = prepared(**arguments).through()
        late = interruption(watch)
        if late is not None:
            late.model = model
            warn(late)
        return model


_ONLY_ONCE = {
    **dict.fromkeys(("y", "groups", "range", "path", "label", "root", "split", "task", "meta")),
    **{"valid": "auto", "folds": None, "callbacks": None, "checkpoint": None, "resume": False},
}
"""What the models of folds do without: it has done its work, or is about the model that is returned."""


def prepared(**arguments: Any) -> Union[Run, FullRun]:
    """The training that `mxtrain` runs, of its arguments; all that is known before the first epoch has been said."""
    asked = SimpleNamespace(**arguments)
    options = Options(**{setting.name: arguments[setting.name] for setting in fields(Options)})
    if yes_or_no("resume", asked.resume) and asked.checkpoint is None:
        raise ArgumentError("`resume` needs `checkpoint`: the file to go on from.")
    watching, about, budget = as_list(asked.callbacks), checked(asked.meta), Budget.of(options, asked.resume)
    target = replace(choose(asked.device, options.precision, asked.engine), deterministic=options.deterministic)
    with progress.using(progress.default(asked.verbose)):
        _tell_of_unused_gpu(target)
        table = {"path": asked.path, "label": asked.label, "root": asked.root}
        with looks.kept_in(folder := kept_in(asked.cache)):
            images, validation = look_at(
                asked.x, asked.y, asked.valid, options.seed, asked.groups, asked.range, asked.split, table, asked.task
            )
        validated = validation is not None or is_auto(asked.valid)
        choice = choice_for(asked.net, images, validated, options)
        network, settled = open_network(choice.net if choice else asked.net, images, options)
        folds = folds_of(images, validation, asked.valid, options, bool(network.pretrained))
        every = images
        if folds is None and validation is None and is_auto(asked.valid):
            images, validation = hold_out(images, SHARE, options.seed)
        facts = replace(
            facts_of(network, settled, images, validation is not None, target),
            folds=0 if folds is None else folds.count,
        )
        plan = decide(facts, options)
        refuse_layers(plan)
        if choice:
            plan = replace(plan, net=choice.net, why={"net": choice.why, **plan.why})
            progress.current().event("message", text=str(choice))
        for guess in guesses(plan, facts, options):
            progress.current().event("message", text=guess)
        varied = Augment.parse(asked.augment, small=facts.shorter_side < _SMALL, grey=images.grey)
        check_weights(network, images, options.workers, target, plan)
        before = learned_before(asked.net)
        warn_of_learned(every if folds is not None or options.folds == "full" else validation, before)
        _warn_of_unused(options, asked.augment, plan)
        resembling = None if validation is None else validation.resembling(images)
        if resembling is not None:
            leak.warn_of(resembling)
        learned = images.labels.task
        assert learned is not None  # noqa: S101 - `look_at` has seen to it
        weights = learned.class_weights(asked.class_weights, np.asarray(images.y))
        free = options.image_size is None and facts.size_is_default
        plan, network = cut(
            budget, plan, network, images, validation, learned.outputs, target.exact, free, options.seed
        )
        target, int8, told = in_int8(target, network, images)
        problem = Problem(
            train=Loader(images, network.preprocess, varied, options.seed, repeated=plan.trains_layers, folder=folder),
            validation=None if validation is None else Loader(validation, network.preprocess, folder=folder),
            task=learned,
            loss=learned.loss(np.asarray(images.y), weights),
            target=target,
            seed=options.seed,
            resembling=resembling,
            folds=folds,
            before=before,
            int8=int8,
            crew=options.workers,
        )
        settings = _settings(options, plan, problem, varied, weights) | told
        file = Checkpoint(asked.checkpoint, _identity(images, validation, network, settings))
        settings |= {  # which a resumed run may change
            **({"meta": about} if about else {}),
            **({} if images.column is None else {"path": images.column}),
        }
        run = Run(network, problem, plan.phases, settings, file, watching, asked.cache, budget)
        if asked.resume:
            run.resume()
        if options.folds != "full" or folds is not None:
            return run
        net = choice.net if choice else asked.net  # for fewer images "auto" might choose another
        again = {**arguments, **_ONLY_ONCE, "net": net}
        return FullRun(run, every, lambda part: prepared(**{**again, "x": part}), options.seed)


prepared.__signature__ = inspect.signature(mxtrain)  # type: ignore[attr-defined] # all of these, none left out


def _tell_of_unused_gpu(target: Target) -> None:
    if target.unused is not None and target.unused.present:
        progress.current().event("message", text=str(target.unused))


def _settings(options: Options, plan: Plan, problem: Problem, varied: Augment, weights: Any) -> dict[str, Any]:
    """What the model keeps of how it was trained."""
    images, folds = problem.train.images, problem.folds
    return {
        "tune": options.tune,
        "plan": plan.to_dict(),
        "augment": varied.to_dict(),
        "class_weights": weights,
        "restore_best": options.restore_best,
        "seed": options.seed,
        **({"deterministic": True} if options.deterministic else {}),
        **({"range": [*images.range]} if images.range_is_given and images.range else {}),
        "pictures": {
            "training": len(images),
            "validation": 0 if problem.validation is None else len(problem.validation),
            **({} if folds is None else {"folds": folds.count}),
            "digest": images.digest,
        },
    }


def _identity(
    images: ImageSet, validation: Optional[ImageSet], network: Network, settings: Mapping[str, Any]
) -> dict[str, str]:
    """What must be the same for a checkpoint to be resumed: not why it was decided, or by which arguments."""
    fixed = (network.preprocess.to_dict(), sorted(network.frozen))
    plan = {name: value for name, value in settings["plan"].items() if name not in ("why", "time_budget", "net")}
    decided = {**settings, "plan": plan, "tune": None}
    return {
        "pictures": images.fingerprint + ("" if validation is None else validation.fingerprint),
        "network": fingerprint(network) + hashlib.sha256(repr(fixed).encode()).hexdigest(),
        "settings": json.dumps(decided, sort_keys=True),
    }


def _warn_of_unused(options: Options, augment: Any, plan: Plan) -> None:
    """Warn of settings for layers if only the head is trained."""
    unused = [] if plan.trains_layers else options.for_layers()
    if not plan.trains_layers and augment not in ("auto", "none", None, False):
        unused.append("augment")
    if unused:
        hint = 'They apply to layers: tune = "tail" or tune = "all".'
        warn(TrainingWarning("Only the head is trained, so these settings have no effect.", unused, hint))
