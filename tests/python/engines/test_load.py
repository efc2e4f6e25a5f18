"""MXNet comes in without anyone else in the process noticing, and says what is wrong when it can't."""

from __future__ import annotations

import re
from pathlib import Path

import numpy
import pytest

from mxtune.engines.mxnet import cuda, remedies
from mxtune.errors import EngineError
from processes import only_numpy, passes

pytestmark = pytest.mark.mxnet

NUMPY_BEFORE_AND_AFTER = """
import sys, types, warnings
import numpy as np
OLD = ("bool object float int complex str PZERO NZERO NINF PINF NAN NaN Inf alltrue sometrue in1d mirr msort "
       "npv pmt ppmt pv rate trapz round_ product").split()

def answers():
    told = {}
    for name in OLD:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                told[name] = getattr(np, name)
            except Exception as error:
                told[name] = repr(error)
    return told

before, names, finders = answers(), dict(vars(np)), list(sys.meta_path)
distutils = "distutils" in sys.modules
from mxtune.engines.mxnet import load
load()
assert {**answers(), "NaN": 0, "NAN": 0} == {**before, "NaN": 0, "NAN": 0}
new = {name: value for name, value in vars(np).items() if value is not names.get(name)}
assert all(isinstance(value, types.ModuleType) for value in new.values()), new  # NumPy's own, opened late
assert not set(new) & set(OLD) and set(names) <= set(vars(np))
assert np.__getattr__ is names["__getattr__"]
assert sys.meta_path == finders and ("distutils" in sys.modules) == distutils
"""

OTHERS_AFTERWARDS = """
from mxtune.engines.mxnet import load
load()
import numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
frame = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": ["x", "y", "x", "y"]})
assert frame.groupby("b").a.mean().tolist() == [2.0, 3.0]
assert frame.b.astype("category").cat.codes.tolist() == [0, 1, 0, 1]
model = LogisticRegression().fit(frame[["a"]], [0, 0, 1, 1])
assert model.predict(pd.DataFrame({"a": [0.0, 9.0]})).tolist() == [0, 1]
"""

THE_REST_OF_THE_PROCESS = """
import ctypes, faulthandler, locale, logging, os, random, signal, sys, threading, warnings
import numpy as np
def fault_handler():
    action = ctypes.create_string_buffer(256)
    ctypes.CDLL(None).sigaction(signal.SIGSEGV, None, action)
    return action.raw[:8], action.raw[136:140]  # the handler, its flags
def state():
    return [dict(os.environ), os.getcwd(), sys.path[:], list(warnings.filters), sys.excepthook,
            locale.setlocale(locale.LC_ALL), [signal.getsignal(s) for s in sorted(signal.valid_signals())],
            fault_handler(), list(logging.root.handlers), logging.root.level, random.getstate(),
            np.random.get_state()[1].tolist(), np.geterr(), np.get_printoptions(), threading.active_count(),
            sys.getrecursionlimit()]
faulthandler.enable()
warnings.filterwarnings("error", message="mine")
before = state()
from mxtune.engines.mxnet import load
load()
assert state() == before, [pair for pair in zip(state(), before) if pair[0] != pair[1]]
for heavy in ("pandas", "sklearn", "scipy", "requests", "matplotlib"):
    assert heavy not in sys.modules, heavy
"""

FUNCTIONS_LATER = """
import numpy as np
from mxtune.engines.mxnet import load
mx = load()
a = mx.np.array([1.0, 2.0, 3.0])
assert a[a > 1.5].tolist() == [2, 3] and a[[True, False, True]].tolist() == [1, 3]
assert mx.np.array([True, False]).tolist() == [1, 0] and mx.np.trapz(a) == 4.0
net = mx.gluon.nn.HybridSequential()
nn = mx.gluon.nn
net.add(nn.Conv2D(8, 3), nn.BatchNorm(), nn.Activation("relu"), nn.Dense(2))
net.initialize(), net.hybridize()
trainer = mx.gluon.Trainer(net.collect_params(), "adam")
with mx.autograd.record():
    loss = mx.gluon.loss.SoftmaxCELoss()(net(mx.nd.ones((2, 3, 8, 8))), mx.nd.array([0, 1]))
loss.backward(), trainer.step(2)
net.export("net")
symbol, args, aux = mx.model.load_checkpoint("net", 0)
fused = symbol.get_backend_symbol("MKLDNN")
pictures = mx.io.NDArrayIter(np.ones((4, 3, 8, 8), "float32"), batch_size=4)
load("mxnet.contrib.quantization").quantize_model_mkldnn(
    sym=fused, arg_params=args, aux_params=aux, calib_mode="naive", calib_data=pictures,
    num_calib_examples=4, label_names=None)
load("mxnet.contrib.amp").convert_model(symbol, args, aux, target_dtype="bfloat16")
executor = fused.simple_bind(mx.cpu(), data=(1, 3, 8, 8), grad_req="null")
executor.forward()[0].wait_to_read()
head = mx.sym.SoftmaxOutput(mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=2), name="softmax")
batches = mx.io.NDArrayIter(np.ones((4, 3), "float32"), np.zeros(4), batch_size=2)
mx.mod.Module(head).fit(batches, num_epoch=1)
"""


def test_numpy_is_as_before() -> None:
    passes(NUMPY_BEFORE_AND_AFTER)


def test_numpy_is_as_ever_while_mxnet_is_imported() -> None:
    passes(
        "import sys, threading, numpy as np\n"
        "before = set(vars(np)); seen = set(); done = threading.Event()\n"
        "def watch():\n"
        "    while not done.is_set():\n"
        "        seen.update(set(vars(np)) - before)\n"
        "        seen.update({'distutils', 'distutils.version'} & set(sys.modules))\n"
        "thread = threading.Thread(target=watch); thread.start()\n"
        "from mxtune.engines.mxnet import load; load(); done.set(); thread.join()\n"
        "assert not seen & {'bool', 'object', 'int', 'float', 'str', 'trapz', 'Inf', 'distutils'}, seen"
    )


def test_pandas_and_scikit_learn_work_and_warn_of_nothing_afterwards() -> None:
    assert passes(OTHERS_AFTERWARDS, "-W", "error").stderr == ""


def test_nothing_else_in_the_process_changes() -> None:
    passes(THE_REST_OF_THE_PROCESS, "-W", "error")


def test_mxnet_trains_fuses_quantizes_and_saves_later_without_a_warning_or_a_log_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = passes(FUNCTIONS_LATER, "-W", "error")
    assert done.stderr == ""
    assert done.stdout == ""


def test_operators_are_those_of_mxnet_from_their_first_call_on_in_any_thread() -> None:
    passes(
        "import inspect, threading\n"
        "from mxtune.engines.mxnet import load\n"
        "mx = load()\n"
        "a, told = mx.nd.array([[1.0, -2.0]]), []\n"
        "start = threading.Barrier(8)\n"
        "def call():\n"
        "    start.wait()\n"
        "    told.append(mx.nd.clip(a, a_min=0, a_max=9).asnumpy().tolist())\n"
        "threads = [threading.Thread(target=call) for _ in range(8)]\n"
        "[thread.start() for thread in threads], [thread.join() for thread in threads]\n"
        "assert told == [[[1, 0]]] * 8, told\n"
        "assert 'Clips (limits) the values in an array' in mx.nd.clip.__doc__\n"
        "assert list(inspect.signature(mx.nd.clip).parameters) == 'data a_min a_max out name kwargs'.split()\n"
        "try:\n"
        "    mx.nd.relu(3)\n"
        "except AssertionError as error:\n"
        "    assert 'Argument data must have NDArray type' in str(error)\n"
        "net = mx.sym.FullyConnected(mx.sym.var('x'), num_hidden=2, name='fc')\n"
        "assert net.list_arguments() == ['x', 'fc_weight', 'fc_bias']"
    )


def test_only_its_own_line_is_kept_from_stderr_while_it_starts() -> None:
    done = passes(
        "import os\nfrom mxtune.engines.mxnet.load import unsaid\n"
        "with unsaid('MXNet start'):\n"
        "    os.write(2, b'a word of another library\\n[00:39:49] engine.cc:54: MXNet start using engine\\n')\n"
        "os.write(2, b'and then\\n')"
    )
    assert done.stderr == "a word of another library\nand then\n"


def test_processes_started_later_are_not_told_its_settings() -> None:
    done = passes(
        "import subprocess\nfrom mxtune.engines.mxnet import load\nload()\n"
        "print('MXNET_ENGINE_TYPE' in subprocess.run(['env'], capture_output=True, text=True).stdout)"
    )
    assert done.stdout == "False\n"


def test_it_starts_where_stderr_is_closed() -> None:
    passes("import os\nos.close(2)\nfrom mxtune.engines.mxnet import load\nload().nd.zeros(1).asnumpy()")


def test_the_users_own_engine_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MXNET_ENGINE_TYPE", "ThreadedEngine")
    done = passes("from mxtune.engines.mxnet import load\nload().nd.zeros(1).asnumpy()")
    assert "using engine: ThreadedEngine" in done.stderr


def test_mxnet_is_loaded_once_from_many_threads() -> None:
    passes(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from mxtune.engines.mxnet import load\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    found = list(pool.map(lambda _: id(load()), range(8)))\n"
        "import mxnet\n"
        "assert set(found) == {id(mxnet)}"
    )


def test_mxnet_of_the_user_is_taken_as_it_is() -> None:
    passes(
        "from mxtune.engines.mxnet import load, shim\nmine = shim.imported()\nassert load() is mine\n"
        "import mxnet, mxnet.gluon\nassert load() is mxnet and load('mxnet.gluon') is mxnet.gluon"
    )


def test_all_usable_cpus_compute_and_the_environment_does_not_tell() -> None:
    code = (
        "import ctypes, os\nfrom mxtune.engines import threads\nfrom mxtune.engines.mxnet import load\nload()\n"
        "computing = ctypes.CDLL('libgomp.so.1').omp_get_max_threads()\n"
        "left = 'MXNET_OMP_MAX_THREADS' in os.environ\n"
        "print(computing, threads.mxnet_threads(), threads.usable_cpus(), left)"
    )
    computing, told, usable, left = passes(code).stdout.split()
    assert computing == told == usable
    assert left == "False"
    assert passes(code, OMP_NUM_THREADS="1").stdout.split()[:2] == ["1", "1"]


def test_missing_mxnet_is_told_with_the_command(tmp_path: Path) -> None:
    code = "from mxtune.engines.mxnet import load\ntry: load()\nexcept Exception as e: print(type(e).__name__, e)"
    told = passes(code, "-S", path=only_numpy(tmp_path)).stdout
    assert told.startswith("EngineError MXNet, which computes the networks, is not installed.\ni Run: pip install ")
    assert "mxnet==1.9.1" in told


def test_broken_library_is_told_and_nothing_is_left_behind(tmp_path: Path) -> None:
    library = tmp_path / "libmxnet.so"
    library.write_bytes(b"no library")
    code = (
        "import os, sys, warnings, numpy\n"
        "from mxtune.engines.mxnet import load\nfrom mxtune.errors import EngineError\n"
        "before = dict(os.environ), list(sys.meta_path), list(warnings.filters)\n"
        "for _ in range(2):\n"
        "    try: load()\n"
        "    except EngineError as error: print(error)\n"
        "assert (dict(os.environ), sys.meta_path, warnings.filters) == before\n"
        "assert not [name for name in sys.modules if name.startswith('mxnet')]"
    )
    told = passes(code, MXNET_LIBRARY_PATH=str(library)).stdout
    assert told.count("MXNet is installed but can't be loaded: ") == 2
    assert told.count("i Run: pip install --force-reinstall --no-deps mxnet==1.9.1") == 2


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            OSError("libquadmath.so.0: cannot open shared object file: No such file or directory"),
            "MXNet can't be loaded: the shared library libquadmath.so.0 is missing.\n"
            "i On Debian or Ubuntu run: apt-get install libquadmath0",
        ),
        (
            OSError("libgomp.so.1: cannot open shared object file: No such file or directory"),
            "MXNet can't be loaded: the shared library libgomp.so.1 is missing.\n"
            "i On Debian or Ubuntu run: apt-get install libgomp1",
        ),
        (
            OSError("libnovel.so.3: cannot open shared object file: No such file or directory"),
            "MXNet can't be loaded: the shared library libnovel.so.3 is missing.\n"
            "i Install the system package that holds libnovel.so.3.",
        ),
        (
            ModuleNotFoundError("No module named 'graphviz'", name="graphviz"),
            "MXNet needs the Python package graphviz.\ni Run: pip install graphviz",
        ),
    ],
)
def test_each_fault_has_its_command(error: BaseException, words: str) -> None:
    told = remedies.explain(error)
    assert isinstance(told, EngineError)
    assert str(told) == words


def test_all_of_cudas_libraries_that_are_missing_come_by_one_command() -> None:
    missing = cuda.missing() or ("libcudnn.so.8",)
    told = str(remedies.explain(OSError(f"{missing[0]}: cannot open shared object file: No such file or directory")))
    assert all(name in told and str(cuda.wheel_of(name)) in told for name in missing)


def test_a_build_for_gpus_without_a_driver_is_told_the_way_to_the_other() -> None:
    told = str(remedies.explain(OSError("libcuda.so.1: cannot open shared object file: No such file or directory")))
    assert told.startswith("MXNet can't be loaded: the shared library libcuda.so.1 is missing.\n")
    assert re.search(
        r"Without one, run: pip uninstall -y mxnet\S* && pip install --force-reinstall .*mxnet==1.9.1$", told
    )


@pytest.mark.parametrize(
    ("version", "numpy_version", "command"),
    [
        ((3, 11), "1.26.4", "Run: pip install mxnet==1.9.1"),
        ((3, 11), "2.4.6", "Run: pip install --no-deps mxnet==1.9.1"),
        ((3, 13), "1.26.4", "Run: pip install --no-deps mxnet==1.9.1"),
    ],
)
def test_command_fits_python_and_numpy(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int], numpy_version: str, command: str
) -> None:
    monkeypatch.setattr(remedies.sys, "version_info", version)
    monkeypatch.setattr(numpy, "__version__", numpy_version)
    assert remedies.install_hint() == command


@pytest.mark.parametrize("machine", [("Darwin", "arm64"), ("Linux", "ppc64le"), ("Windows", "AMD64")])
def test_platform_without_a_wheel_is_told_plainly(monkeypatch: pytest.MonkeyPatch, machine: tuple[str, str]) -> None:
    on(monkeypatch, machine)
    assert remedies.install_hint().startswith(f"There is no wheel of MXNet 1.9.1 for {machine[0]} on {machine[1]};")


@pytest.mark.parametrize("machine", [("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "x86_64")])
def test_platform_with_a_wheel_gets_the_command(monkeypatch: pytest.MonkeyPatch, machine: tuple[str, str]) -> None:
    on(monkeypatch, machine)
    assert remedies.install_hint().startswith("Run: pip install ")


def on(monkeypatch: pytest.MonkeyPatch, machine: tuple[str, str]) -> None:
    monkeypatch.setattr(remedies.platform, "system", lambda: machine[0])
    monkeypatch.setattr(remedies.platform, "machine", lambda: machine[1])
