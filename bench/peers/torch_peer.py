"""PyTorch as a peer of gradix: a worker that times named workloads on request.

One JSON request per line on stdin, {"workload": NAME, "warmup": N, "calls": N}; one JSON answer per line on stdout, {"times": [seconds, …]} or {"error": TEXT}.
The same protocol as bench/worker.mjs. Usage: python3 torch_peer.py THREADS
Each workload is what an ordinary user writes: modules, autograd, torch.optim, default settings.
"""
import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn, optim

torch.set_num_threads(int(sys.argv[1]))


def conv_bn_relu(channels, out):
    return [nn.Conv2d(channels, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU()]


def lenet3():
    """The lectures' digit net: three 3x3 convolutions with batch normalisation, 180,880 parameters."""
    pool = nn.MaxPool2d(2)
    return nn.Sequential(*conv_bn_relu(1, 16), pool, *conv_bn_relu(16, 32), pool, *conv_bn_relu(32, 64), nn.Flatten(),
                         nn.Linear(64 * 7 * 7, 50), nn.ReLU(), nn.Linear(50, 10))


def lenet5():
    features = [nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)]
    return nn.Sequential(*features, nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10))


def mlp():
    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))


def alexnet():
    """Krizhevsky et al. 2012, with its two groups in the second, fourth and fifth convolution: 60,965,224 parameters."""
    def pool():
        return nn.MaxPool2d(3, 2)
    return nn.Sequential(
        nn.Conv2d(3, 96, 11, stride=4), nn.ReLU(), nn.LocalResponseNorm(5), pool(),
        nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(), nn.LocalResponseNorm(5), pool(),
        nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), pool(),
        nn.Flatten(), nn.Linear(9216, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 1000))


class ResidualBlock(nn.Module):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out)
        self.project = None
        if stride != 1 or channels != out:
            self.project = nn.Sequential(nn.Conv2d(channels, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        residual = x if self.project is None else self.project(x)
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + residual)


def resnet20():
    stages = [(16, 16, 1), (16, 16, 1), (16, 16, 1), (16, 32, 2), (32, 32, 1), (32, 32, 1), (32, 64, 2), (64, 64, 1), (64, 64, 1)]
    stem = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    return nn.Sequential(*stem, *[ResidualBlock(*stage) for stage in stages], nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def momentum(parameters):
    return optim.SGD(parameters, lr=0.01, momentum=0.9)


def adam(parameters):
    return optim.Adam(parameters, lr=1e-3)


def training_step(parameters, make_optimizer, loss_of):
    optimizer = make_optimizer(parameters)

    def step():
        optimizer.zero_grad()
        loss_of().backward()
        optimizer.step()
    return step


def classifier(model, shape, classes, make_optimizer):
    images, labels = torch.randn(*shape), torch.randint(0, classes, (shape[0],))
    return training_step(model.parameters(), make_optimizer, lambda: F.cross_entropy(model(images), labels))


def gemm(m, n, k):
    a, b = torch.randn(m, k), torch.randn(k, n)
    return lambda: a @ b


def convolution(backward):
    layer = nn.Conv2d(64, 64, 3, padding=1)
    x, dy = torch.randn(32, 64, 56, 56, requires_grad=backward), torch.randn(32, 64, 56, 56)
    return (lambda: layer(x).backward(dy)) if backward else inference(layer, x)


def inference(model, x):
    model.eval()

    def call():
        with torch.no_grad():
            return model(x)
    return call


def lstm():
    net, head = nn.LSTM(128, 256, batch_first=True), nn.Linear(256, 128)
    x, labels = torch.randn(32, 64, 128), torch.randint(0, 128, (32 * 64,))
    return training_step([*net.parameters(), *head.parameters()], adam, lambda: F.cross_entropy(head(net(x)[0]).reshape(-1, 128), labels))


def rbm():
    """Contrastive divergence with one Gibbs step; learning rate 0.001 on the summed statistics."""
    weight, visible_bias, hidden_bias = torch.randn(784, 500) * 0.01, torch.zeros(784), torch.zeros(500)
    data = (torch.rand(100, 784) > 0.5).float()

    def step():
        hidden = torch.sigmoid(data @ weight + hidden_bias)
        fantasy = torch.bernoulli(torch.sigmoid(torch.bernoulli(hidden) @ weight.t() + visible_bias))
        fantasy_hidden = torch.sigmoid(fantasy @ weight + hidden_bias)
        weight.add_(data.t() @ hidden - fantasy.t() @ fantasy_hidden, alpha=0.001)
        visible_bias.add_((data - fantasy).sum(0), alpha=0.001)
        hidden_bias.add_((hidden - fantasy_hidden).sum(0), alpha=0.001)
    return step


def q_network():
    return nn.Sequential(nn.Conv2d(4, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(1024, 128), nn.ReLU(), nn.Linear(128, 6))


def dqn():
    online, target = q_network(), q_network()
    state, following = torch.rand(32, 4, 10, 10), torch.rand(32, 4, 10, 10)
    action, reward, ended = torch.randint(0, 6, (32, 1)), torch.rand(32), torch.zeros(32)

    def loss():
        with torch.no_grad():
            goal = reward + 0.99 * (1 - ended) * target(following).max(1).values
        return F.smooth_l1_loss(online(state).gather(1, action).squeeze(1), goal)
    return training_step(online.parameters(), lambda p: optim.RMSprop(p, lr=2.5e-4, alpha=0.95, eps=0.01, centered=True), loss)


def tiny_add():
    a, b = torch.randn(4), torch.randn(4)
    return lambda: a + b


def tiny_points_mlp():
    return inference(nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1)), torch.randn(1, 2))


def tiny_dqn_action():
    network, state = q_network(), torch.rand(1, 4, 10, 10)

    def call():
        with torch.no_grad():
            return network(state).argmax(1)
    return call


def at_batch_sizes():
    for batch in (2**i for i in range(10)):
        yield f"lenet3-b{batch}-train", lambda batch=batch: classifier(lenet3(), (batch, 1, 28, 28), 10, momentum)
        yield f"mlp-784-256-10-b{batch}-adam", lambda batch=batch: classifier(mlp(), (batch, 784), 10, adam)


WORKLOADS = {
    **dict(at_batch_sizes()),
    "tiny-add": tiny_add,
    "tiny-points-mlp": tiny_points_mlp,
    "tiny-dqn-action": tiny_dqn_action,
    "gemm-256": lambda: gemm(256, 256, 256),
    "gemm-1024": lambda: gemm(1024, 1024, 1024),
    "gemm-128x4096x9216": lambda: gemm(128, 4096, 9216),
    "conv3x3-64-56-b32-forward": lambda: convolution(False),
    "conv3x3-64-56-b32-forward-backward": lambda: convolution(True),
    "lenet5-b64-train": lambda: classifier(lenet5(), (64, 1, 28, 28), 10, momentum),
    "resnet20-cifar-b64-train": lambda: classifier(resnet20(), (64, 3, 32, 32), 10, momentum),
    "lstm-128-256-b32-t64-train": lstm,
    "rbm-784-500-b100-cd1": rbm,
    "dqn-minatar-b32-train": dqn,
    "alexnet-b32-train": lambda: classifier(alexnet(), (32, 3, 227, 227), 1000, momentum),
    "alexnet-b1-infer": lambda: inference(alexnet(), torch.randn(1, 3, 227, 227)),
    "alexnet-b32-infer": lambda: inference(alexnet(), torch.randn(32, 3, 227, 227)),
}


def answer(request, held):
    name = request["workload"]
    if held.get("name") != name:
        held.clear()  # the previous workload's memory goes first
        torch.manual_seed(0)
        held.update(name=name, call=WORKLOADS[name]())
    call, times = held["call"], []
    for _ in range(request["warmup"]):
        call()
    for _ in range(request["calls"]):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return {"times": times}


def main():
    held = {}
    print(json.dumps({"ready": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line), held)
        except Exception as error:  # the asking side decides what to do
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


main()
