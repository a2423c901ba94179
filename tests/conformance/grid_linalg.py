"""Linear algebra: values, first and second derivatives, errors."""

from .cases import Case, given, real

CASES: list[Case] = []
SPD = "p = x @ x.transpose(-1, -2) + 2 * torch.eye(x.shape[-1], dtype=x.dtype)\n"
REGULAR = "a = x + 4 * torch.eye(x.shape[-1], dtype=x.dtype)\n"
SHAPES = ((3, 3), (2, 3, 3), (1, 1), (0, 2, 2), (0, 0))


def add(code: str, *shape: int, dtype: str = "float64", order: int = 2, **inputs) -> None:
    name = f"linalg {code.splitlines()[-1]} {shape} {dtype} {len(CASES)}"
    inputs = inputs or {"x": real(*shape, dtype=dtype)}
    CASES.append(Case(name, code, inputs, order))


for shape in SHAPES:
    for dtype in ("float64", "float32"):
        for y in ("torch.linalg.inv(a)", "a.inverse()", "torch.linalg.det(a)", "a.det()",
                  "torch.linalg.slogdet(a)", "torch.slogdet(a)", "torch.linalg.qr(a)",
                  "torch.linalg.pinv(a)"):  # fmt: skip
            add(f"{REGULAR}y = {y}", *shape, dtype=dtype, order=2 if dtype == "float64" else 1)
        for y in ("torch.linalg.cholesky(p)", "p.cholesky()", "torch.linalg.cholesky(p, upper=True)",
                  "torch.logdet(p)", "torch.linalg.eigvalsh(p)", "torch.linalg.eigh(p)[1].square()",
                  "torch.linalg.eigh(p, UPLO='U')[1].abs()", "torch.linalg.svdvals(p)"):  # fmt: skip
            add(f"{SPD}y = {y}", *shape, dtype=dtype, order=2 if dtype == "float64" else 1)
for shape in ((4, 2), (2, 4), (2, 3, 2), (0, 3), (3, 0)):
    add("torch.linalg.qr(x)", *shape)
    add("torch.linalg.qr(x.detach(), 'complete')", *shape)
    add("torch.linalg.qr(x.detach(), mode='r')", *shape)
    add("torch.linalg.pinv(x)", *shape)
    add("torch.linalg.pinv(x, rtol=0.8)", *shape, order=1)
    add("torch.linalg.pinv(x, atol=1.5, rtol=0.1)", *shape, order=1)
    add("x.pinverse(), torch.pinverse(x, 1e-3)", *shape)
    add("torch.linalg.svdvals(x)", *shape)
    for p in ("'fro'", "'nuc'", "2", "-2", "1", "-1", "float('inf')", "-float('inf')"):
        add(f"torch.linalg.matrix_norm(x, {p})", *shape)
        add(f"torch.linalg.norm(x, {p}, dim=(-1, 0), keepdim=True)", *shape, order=1)
    for p in ("0", "1", "2", "3.5", "0.5", "-1", "-2", "float('inf')", "-float('inf')"):
        add(f"torch.linalg.vector_norm(x, {p})", *shape)
        add(f"torch.linalg.vector_norm(x, {p}, dim=-1, keepdim=True)", *shape, order=1)
        add(f"torch.linalg.norm(x, {p}, 0)", *shape, order=1)
    add(
        "torch.linalg.norm(x), torch.linalg.norm(x, dim=1), torch.linalg.norm(x, dim=(0, 1))",
        *shape,
    )
for of_a, of_b in (((3, 3), (3, 2)), ((3, 3), (3,)), ((2, 3, 3), (2, 3)), ((2, 3, 3), (3, 2)),
                   ((3, 3), (2, 3, 1)), ((2, 1, 3, 3), (4, 3, 2)), ((0, 3, 3), (3, 1))):  # fmt: skip
    code = f"{REGULAR}y = torch.linalg.solve(a, b)"
    CASES.append(Case(f"solve {of_a} {of_b}", code, {"x": real(*of_a), "b": real(*of_b)}))
add(f"{REGULAR}y = torch.linalg.solve(a, b, left=False)", x=real(3, 3), b=real(2, 3))
add("torch.linalg.vector_norm(x, dtype=torch.float64)", 4, dtype="float32")
add("torch.linalg.vector_norm(x), torch.linalg.norm(x)", x=given(2.0))
add("torch.linalg.vector_norm(x)", x=given([0.0, 0.0]), order=1)
lower = given([[2.0, float("nan")], [0.5, 1.0]])  # the upper triangle is not read
add("torch.linalg.cholesky(x.detach()), torch.linalg.eigvalsh(x.detach())", x=lower)
add("torch.linalg.cholesky(x)", x=given([[2.0, 9.0], [0.5, 1.0]]))

SINGULAR = "torch.tensor([[1.0, 2.0], [2.0, 4.0]])"
ERRORS = [
    f"inv({SINGULAR})", f"inv(torch.stack([torch.eye(2), {SINGULAR}]))", "inv(torch.ones(2, 3))",
    "inv(torch.ones(2))", "inv(torch.ones(2, 2).long())", "inv(torch.ones(2, 2).half())", "inv(5)",
    "inv()", f"solve({SINGULAR}, torch.ones(2))", "solve(torch.eye(2), torch.ones(3))",
    "solve(torch.eye(2), torch.ones(3, 2))", "solve(torch.eye(2), torch.ones(2).double())",
    "solve(torch.eye(2), torch.tensor(1.0))", "solve(torch.eye(2), torch.ones(2), left=False)",
    "solve(torch.eye(2).expand(3, 2, 2), torch.ones(4, 2, 1))", "det(torch.ones(2, 3))",
    "det(torch.eye(2).long())", f"cholesky(-{SINGULAR})", "cholesky(torch.eye(2).half())",
    "cholesky(torch.stack([torch.eye(2), -torch.eye(2)]))", "eigh(torch.eye(2), UPLO='X')",
    "eigh(torch.ones(2, 3))", "eigh(torch.ones(2))", "qr(torch.ones(3))", "qr(torch.ones(3, 2), 'x')",
    "qr(torch.ones(3, 2, requires_grad=True), 'complete')[0].sum().backward()",
    "qr(torch.ones(3, 2, requires_grad=True), 'r')[1].sum().backward()", "pinv(torch.ones(3))",
    "vector_norm(torch.ones(2).long())", "vector_norm(torch.ones(2), 'fro')",
    "vector_norm(torch.ones(0), float('inf'))", "vector_norm(torch.ones(0, 2), -1, dim=0)",
    "vector_norm(torch.ones(2).double(), dtype=torch.float32)", "vector_norm(torch.ones(2), dim=3)",
    "norm(torch.ones(2, 2, 2), 2)", "norm(torch.ones(2, 2), 'x')",
    "norm(torch.ones(2, 2), 'fro', dim=0)", "norm(torch.ones(2, 2), 2, dim=(0, 1, 2))",
    "matrix_norm(torch.ones(2))", "matrix_norm(torch.ones(2, 2), 3)",
    "matrix_norm(torch.ones(2, 2), dim=(0, 0))", "matrix_norm(torch.ones(2, 2).long())",
    "matrix_norm(torch.ones(2, 2).half(), 'nuc')", "matrix_norm(torch.ones(0, 2), -2)",
    "matrix_norm(torch.ones(2, 2), dim=(0, 5))",
]  # fmt: skip
for call in ERRORS:
    CASES.append(Case(f"linalg.{call}", f"torch.linalg.{call}"))
SAME_WORDS = tuple(
    f"linalg.{call}" for call in ERRORS if call.startswith(("inv(torch", "cholesky(", "norm(torch"))
)
