"""How the scripts are run: `scripts/<file>.py` with these arguments."""

from dataclasses import dataclass

BOTH = ("float64", "float32")


@dataclass(frozen=True)
class Script:
    """A script, or several runs of it in one directory: the later ones find the earlier ones' files.

    `learns` are arguments of a longer run without a seed. The numbers that follow `measure` in its
    output must fall, or with `rises` rise.
    """

    file: str
    runs: tuple[str, ...]
    learns: str
    measure: str = "loss "
    rises: bool = False
    dtypes: tuple[str, ...] = BOTH


SCRIPTS = {
    "classifier": Script(
        "classifier",
        ("--seed 3 --epochs 3 --workers 0",),
        "--epochs 4 --lr 0.05",
        r"Acc@1 [\d.]+ Loss ",
    ),
    "classifier, resumed": Script(
        "classifier",
        (
            "--seed 3 --epochs 1 --workers 0",
            "--seed 3 --epochs 3 --resume checkpoint.pth.tar",
            "--resume model_best.pth.tar --evaluate",
        ),
        "--epochs 4 --lr 0.05 --workers 0",
        r"Acc@1 [\d.]+ Loss ",
    ),
    "vae": Script("vae", ("",), "--seed -1 --epochs 8", "average loss "),
    "gan": Script(
        "gan", ("--manualSeed 5",), "--niter 14 --lr 0.004", "distance to the mean picture: "
    ),
    "siamese": Script("siamese", ("--seed 1",), "--epochs 12", "Loss: "),
    "siamese, TripletMarginLoss": Script(
        "siamese", ("--seed 2 --builtin --epochs 2",), "--epochs 12 --builtin", "Loss: "
    ),
    "unet": Script(
        "unet", ("", "--load checkpoints/checkpoint_epoch2.pth --epochs 1"), "--epochs 4"
    ),
    "unet, bilinear": Script("unet", ("--bilinear --epochs 1",), "--epochs 4 --bilinear"),
    "language model, LSTM": Script("language_model", ("",), "--epochs 6 --lr 6 --dropout 0", "valid loss "),
    "language model, tied GRU": Script(
        "language_model", ("--model GRU --tied --seed 7 --epochs 1",),
        "--epochs 6 --model GRU --tied --lr 4", "valid loss ",
    ),
    "language model, RNN": Script(
        "language_model", ("--model RNN_TANH --epochs 1 --nlayers 3",),
        "--epochs 6 --model RNN_RELU --dropout 0.1", "valid loss ",
    ),
    "packed sequences, LSTM": Script("packed_sequences", ("",), "--epochs 12"),
    "packed sequences, GRU": Script("packed_sequences", ("--cell gru",), "--epochs 12 --cell gru"),
    "time sequence": Script("time_sequence", ("",), "--steps 4 --line-search strong_wolfe", "loss: "),
    "time sequence, Wolfe": Script(
        "time_sequence", ("--line-search strong_wolfe",),
        "--steps 3 --line-search strong_wolfe", "loss: ",
    ),
    "reinforce": Script("reinforce", ("",), "--seed -1 --episodes 30", "average ", True),
    "actor critic": Script("actor_critic", ("",), "--updates 40 --envs 16", "return ", True),
    "transformer": Script("transformer", ("",), "--epochs 8", "valid loss "),
    "distillation": Script("distillation", ("", "--epochs 1"), "--epochs 8", r"student epoch \d+ loss "),
    "averaging": Script("averaging", ("",), "--epochs 24 --swa-start 18", r"lr [\d.]+ ema "),
    "pruning": Script("pruning", ("",), "--epochs 5"),
    "mixed precision": Script("mixed_precision", ("",), "--epochs 8 --workers 2 --new-style"),
    "mixed precision, seeded": Script(
        "mixed_precision", ("--seed 4 --anomaly --new-style --no-amp",), "--epochs 8"
    ),
    "logging": Script("logging_run", ("",), "--epochs 10"),
    "spatial transformer": Script("spatial_transformer", ("",), "--epochs 12 --lr 0.004", "Loss: "),
    "spatial transformer, identity": Script(
        "spatial_transformer", ("--identity",), "--epochs 12 --lr 0.004 --identity", "Loss: ",
        dtypes=("float64",),  # in float32, rounding decides the sides of kinks
    ),
    "spatial transformer, border": Script(
        "spatial_transformer", ("--padding-mode border --epochs 1",),
        "--epochs 12 --lr 0.004 --padding-mode reflection", "Loss: ",
    ),
    "word2vec": Script("word2vec", ("",), "--epochs 8", r"^epoch \d+ loss "),
    "word2vec, sums": Script("word2vec", ("--mode sum --epochs 1",), "--epochs 8 --mode sum", r"bag epoch \d+ loss "),
    "old style": Script("old_style", ("",), "--epochs 30", "loss_train: ", dtypes=("float32",)),
}  # fmt: skip
