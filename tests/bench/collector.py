"""A collector that takes what a service exports and keeps nothing: `python -m tests.bench.collector PORT`."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

from tests.otlp import Received, receiving

if TYPE_CHECKING:
    import grpc


class _Forgetful(Received):
    """Answers, and lets go."""

    def Export(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ANN401 (one name for two methods)
        answer = super().Export(request, context)
        self.traces.clear()
        self.metrics.clear()
        return answer


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    with receiving(int(sys.argv[1]), _Forgetful()):
        signal.sigwait({signal.SIGTERM})
