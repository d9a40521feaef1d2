# SPDX-License-Identifier: GPL-2.0
"""The command line of the lab."""
import argparse
import os
import signal

from . import bench, build, demo, programs, root, selfcheck, tests, vm
from .host import LabError, say


def _add_machine_options(parser):
    parser.add_argument("--kernel", choices=root.KERNELS,
                        default=root.DEFAULT_KERNEL,
                        help="kernel of the lab host (default %(default)s)")
    parser.add_argument("--cpus", type=int, default=2, metavar="N",
                        help="processors (default %(default)s)")
    parser.add_argument("--memory", default="4G", metavar="M",
                        help="memory, as 512M or 4G (default %(default)s)")
    parser.add_argument("--pgpu", default="soft", metavar="KIND[:SIZE]",
                        help="GPU: soft, or a PCI device of QEMU's, bochs "
                        "or ivshmem (256M both) (default %(default)s)")
    parser.add_argument("--append", default="", metavar="ARGS",
                        help="more arguments for its kernel")
    parser.add_argument("--qemu", default="", metavar="ARGS",
                        help="more arguments for the QEMU that runs it")
    parser.add_argument("--share", default="", metavar="DIR",
                        help="directory to share; /share in the lab host")


def _machine(args):
    if args.share and not os.path.isdir(args.share):
        raise LabError(f"--share {args.share}: not a directory")
    vm.parse_pgpu(args.pgpu)
    return {"cpus": args.cpus, "memory": args.memory, "pgpu": args.pgpu,
            "append": args.append, "qemu": args.qemu,
            "share": os.path.realpath(args.share) if args.share else ""}


def _run(args):
    root.ensure()
    release = build.modules(args.kernel)
    command = " ".join(args.command)
    result = vm.run(release, command, load=not args.no_load,
                    timeout=args.timeout, **_machine(args))
    status = result.check()
    vm.discard(result)
    return status


def _shell(args):
    root.ensure()
    vm.shell(build.modules(args.kernel), **_machine(args))


def _demo(args):
    root.ensure()
    return demo.main(args.kernel, args.type, args.output)


def _test(args):
    if args.list:
        print(programs.table(), end="")
        return 0
    root.ensure()
    return tests.main(args.patterns, args.full, args.minutes)


def _bench(args):
    root.ensure()
    return bench.main(args.name, args.kernel, args.json)


def _selfcheck(_args):
    root.ensure()
    return selfcheck.main()


def _clean(_args):
    root.clean()
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="lab", description="Build, run and test vgpu in a virtual "
        "machine, the lab host. It sets up everything it needs by itself, in "
        "a cache directory (VGPU_LAB_CACHE, or vgpu-lab in the user's cache "
        "directory), and never loads a module into the kernel it runs on.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    verb = verbs.add_parser(
        "demo", help="show a guest's console drawn through a vGPU",
        description="Make a vGPU, start a guest on it and save a picture of "
        "its console as it comes out of QEMU's VNC server, or with --type V of "
        "both of its heads.")
    verb.add_argument("--kernel", choices=root.KERNELS,
                      default=root.DEFAULT_KERNEL)
    verb.add_argument("--type", choices=demo.SERIES, default=demo.SERIES[0],
                      help="series of the vGPU (default %(default)s)")
    verb.add_argument("--output", default="vgpu-demo.png", metavar="PNG",
                      help="where to put the picture (default %(default)s)")
    verb.set_defaults(function=_demo)

    verb = verbs.add_parser(
        "test", help="run the tests",
        description="Run the fast set of tests, the full one, or those whose "
        "name contains a PATTERN. Prints TAP and one closing line.")
    verb.add_argument("--full", action="store_true",
                      help="the full set: more on each kernel and pGPU, and "
                      "the kernels that find mistakes")
    verb.add_argument("--minutes", type=float, default=0, metavar="N",
                      help="end after that time; what is left counts as "
                      "skipped")
    verb.add_argument("--list", action="store_true",
                      help="only print which programs run on which kernel and "
                      "pGPU: F in the fast set, f in the full one")
    verb.add_argument("patterns", nargs="*", metavar="PATTERN")
    verb.set_defaults(function=_test)

    verb = verbs.add_parser(
        "bench", help="measure, beside the kernel's sample devices",
        description="Measure what the driver costs and print a table: every "
        "row, or those whose name contains a NAME. Without KVM the lab host "
        "counts instructions instead of time, 1 ns each, and figures come "
        "out the same again. Ratios above 1 mean that ours is better than "
        "the peer or the limit. Status 1 when something could not be "
        "measured.")
    verb.add_argument("name", nargs="*", metavar="NAME")
    verb.add_argument("--json", default="", metavar="FILE",
                      help="write the rows to FILE, - for standard output")
    verb.add_argument("--kernel", choices=root.KERNELS,
                      default=root.DEFAULT_KERNEL)
    verb.set_defaults(function=_bench)

    verb = verbs.add_parser(
        "selfcheck", help="plant bugs and see that they are found",
        description="Load a module with a bug of each kind on the debug "
        "kernel, which is built first, and see that the lab notices. Status 1 "
        "when it does not.")
    verb.set_defaults(function=_selfcheck)

    verb = verbs.add_parser(
        "run", help="run a shell command in the lab host",
        description="Run a shell command as root in a lab host with the "
        "modules loaded. Standard output and exit status are the command's; "
        "the kernel's log goes to a file, and what it should not contain is "
        "a failure (status 2) whatever the command says.")
    _add_machine_options(verb)
    verb.add_argument("--no-load", action="store_true",
                      help="install the modules but do not load them")
    verb.add_argument("--timeout", type=int, default=vm.DEFAULT_TIMEOUT,
                      metavar="S", help="seconds until the lab host counts as "
                      "hung (default %(default)s)")
    verb.add_argument("command", nargs="+", metavar="COMMAND")
    verb.set_defaults(function=_run)

    verb = verbs.add_parser("shell", help="an interactive shell in the lab "
                            "host", description="Open a root shell in a lab "
                            "host with the modules installed.")
    _add_machine_options(verb)
    verb.set_defaults(function=_shell)

    verb = verbs.add_parser("clean", help="remove the cache",
                            description="Remove everything the lab keeps.")
    verb.set_defaults(function=_clean)
    return parser


def main():
    args = _parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return args.function(args)
    except LabError as error:
        say(str(error))
        return 2
    except KeyboardInterrupt:
        say("interrupted")
        return 130
