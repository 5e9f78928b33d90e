"""Python imports this by its name at every start: OpenTelemetry is laid over the program.

The same file of OpenTelemetry's takes itself out of PYTHONPATH, so that children are without. A
worker's children are the flows.
"""

from opentelemetry.instrumentation.auto_instrumentation import initialize
from opentelemetry.instrumentation.logging import LoggingInstrumentor

initialize()
# Each record knows its trace, and no handler is added: programs keep the logging they have.
LoggingInstrumentor().instrument(inject_trace_context=True, enable_log_auto_instrumentation=False)
