"""`footnote serve-model`: a language model served by vLLM, without the rest of the stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from apps.cli.output import JsonOption, print_json
from apps.cli.run import fail_clearly

if TYPE_CHECKING:
    from rich.console import Console

    from apps.cli.progress import Steps
    from apps.services import ModelServer
    from apps.settings import Settings
    from contracts import Service

_NAME = "model server"


def serve_model(
    model: Annotated[
        str | None,
        typer.Argument(
            help="A folder, a GGUF file, a Python package that carries one, or a hub id.", show_default=False
        ),
    ] = None,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[-- ARGUMENTS]", help="What follows -- is passed to vLLM.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Where it listens.", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Its port.", show_default=False)] = None,
    context: Annotated[
        int | None, typer.Option(min=256, help="Tokens of prompt and answer.", show_default=False)
    ] = None,
    kv_cache_gb: Annotated[
        float | None, typer.Option(min=0, help="Memory for contexts; 0: what suits the machine.", show_default=False)
    ] = None,
    quantization: Annotated[
        str | None, typer.Option(help="int8, or as vLLM names what it does while loading.", show_default=False)
    ] = None,
    tensor_parallel: Annotated[
        int | None, typer.Option(min=0, help="GPUs to spread over; 0: as few as it fits.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be started.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Serve a language model with vLLM, and stay until Ctrl-C. What is not named is as the settings say.

    Example: footnote serve-model ./Qwen3-8B --context 8192 -- --max-num-seqs 64
    """
    import asyncio

    from rich.console import Console

    from apps.services import plan_model_server
    from apps.settings import load_settings
    from contracts import InvalidInputError

    passed = list(arguments or [])
    if model is not None and model.startswith("-"):  # nothing stood before the --
        passed, model = [model, *passed], None
    with fail_clearly():
        if passed and not passed[0].startswith("-"):
            raise InvalidInputError(f"{passed[0]!r} is too much: arguments for vLLM stand behind --")
        wanted: dict[str, Any] = {"model": model, "host": host, "port": port, "context_tokens": context}
        wanted |= {"kv_cache_gb": kv_cache_gb, "quantization": quantization, "tensor_parallel": tensor_parallel}
        wanted["server_arguments"] = passed or None
        settings = _with(load_settings(), {name: value for name, value in wanted.items() if value is not None})
        if dry_run:
            planned = asyncio.run(plan_model_server(settings))
            _show(settings, planned, as_json=as_json)
        else:
            asyncio.run(serve_until_ended(settings, Console(highlight=False)))


def _with(settings: Settings, wanted: dict[str, Any]) -> Settings:
    serving = settings.serving.model_copy(update={"base_url": "", **wanted})
    return settings.model_copy(update={"serving": serving})


def _show(settings: Settings, planned: ModelServer, *, as_json: bool) -> None:
    source = str(planned.found.folder or planned.found.hub_id)
    ready = planned.found.ready and settings.serving.quantization in ("", planned.flags.quantization)
    service = planned.service(source, settings.serving.api_key.get_secret_value())
    env = {name: "..." if name == "VLLM_API_KEY" else value for name, value in service.env.items()}
    if as_json:
        memory = planned.memory
        sums = {name: getattr(memory, name) for name in ("weights", "runtime", "kv_cache", "total", "budget")}
        print_json(
            {
                "model": settings.model_name,
                "source": source,
                "ready": ready,
                "url": service.url,
                "memory": {**sums, "gpus": memory.devices},
                "environment": env,
                "command": service.argv,
            }
        )
        return
    state = "" if ready else " (is made ready first)"
    typer.echo(f"Model        {source}{state}")
    typer.echo(f"Memory       {planned.memory.sentence()}")
    typer.echo("Environment  " + "\n             ".join(f"{name}={value}" for name, value in env.items()))
    typer.echo(f"Command      {_shell_line(service)}")


def _shell_line(service: Service) -> str:
    import shlex

    return shlex.join(service.argv)


async def serve_until_ended(settings: Settings, console: Console) -> None:
    """Run the server until a signal asks for its end. Raises FootnoteError; whatever happens, it is stopped."""
    import asyncio

    from apps.cli.progress import Steps
    from apps.cli.signals import ended_by_signals
    from apps.keeping_alive import keep_alive
    from apps.supervisor import ChildDiedError, Supervisor

    steps = Steps(console)
    supervisor = Supervisor(settings.data_dir / "logs" / f"serve-model-{settings.serving.port}")

    async def start_again(service: Service) -> None:
        child = await supervisor.start(service)
        try:
            console.print(f"Ready again after {await supervisor.until_ready(service, child):.0f} s.")
        except ChildDiedError:
            if child.alive:  # else its death is seen by who called
                raise

    with ended_by_signals() as ended:
        try:
            with steps:
                service = await _prepared(settings, steps)
                steps.begin(_NAME, "starting")
                await supervisor.until_ready(service, await supervisor.start(service))
                steps.end(_NAME, "ready")
            _say_where(settings, service, console)
            await keep_alive(supervisor, {_NAME: service}, say=steps.say, start_again=start_again)
        except asyncio.CancelledError:
            if not ended():
                raise
            console.print("\nStopping ...")
        finally:
            await supervisor.stop()
    if ended():
        console.print("Stopped.")


async def _prepared(settings: Settings, steps: Steps) -> Service:
    from apps.doctor import check_port
    from apps.services import model_service
    from contracts import ConfigurationError

    serving = settings.serving
    port = check_port(_NAME, serving.host, serving.port, "--port or FOOTNOTE_SERVING__PORT")
    if not port.ok:
        raise ConfigurationError(f"{port.name}: {port.found}. {port.remedy}")
    steps.begin(_NAME, "looking at the model")
    return await model_service(settings, lambda doing: steps.begin(_NAME, doing))


def _say_where(settings: Settings, service: Service, console: Console) -> None:
    import shlex

    named = f"FOOTNOTE_SERVING__MODEL={shlex.quote(settings.serving.model)} " if settings.serving.model else ""
    console.print(f"\n  {settings.model_name} at {service.url}", markup=False, soft_wrap=True)
    console.print(
        f"  Answer with it: {named}FOOTNOTE_SERVING__BASE_URL={service.url} footnote up", markup=False, soft_wrap=True
    )
    console.print(f"  Log: {settings.data_dir / 'logs' / f'serve-model-{settings.serving.port}'}", soft_wrap=True)
    console.print("\nCtrl-C stops it.")
