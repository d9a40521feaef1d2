# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# TAP from shell tests: each check is one result.  Ends with ktap_end.

# The GPU that all is about: the PCI device VGPU_PGPU, or a software GPU.
# shellcheck disable=SC2034 # for the tests
if [ "$VGPU_PGPU" ]; then
	vgpu_model=VLIN vgpu_backend=${VGPU_BACKEND:-vgpu_linear}
else
	vgpu_model=VSOFT vgpu_backend=vgpu_soft
fi

ktap_n=0
ktap_failed=0
echo "TAP version 13"

# check NAME COMMAND...: ok if the command succeeds
check()
{
	_name=$1
	shift
	ktap_n=$((ktap_n + 1))
	if "$@"; then
		echo "ok $ktap_n $_name"
	else
		echo "not ok $ktap_n $_name"
		ktap_failed=$((ktap_failed + 1))
	fi
}

# skip NAME REASON
skip()
{
	ktap_n=$((ktap_n + 1))
	echo "ok $ktap_n $1 # SKIP $2"
}

# skip_all REASON: the whole program has nothing to test here
skip_all()
{
	skip "all" "$1"
	ktap_end
}

# writes WORD TEXT FILE: the write fails with the message WORD, or with ok
# succeeds
writes()
{
	# Not the shell's printf, which does not tell one errno from another; in
	# a subshell, for shells that end when a redirection fails.
	_said=$( (/usr/bin/printf '%s' "$2" > "$3") 2>&1) && _said=ok
	case $_said in
	*"$1"*) return 0 ;;
	esac
	echo "# writing \"$2\" to $3: $_said"
	return 1
}

is()
{
	[ "$1" = "$2" ] && return 0
	echo "# \"$1\" is not \"$2\""
	return 1
}

fails()
{
	! "$@" > /dev/null 2>&1
}

# within SECONDS COMMAND...: the command succeeds sooner or later
within()
{
	_end=$(($(date +%s) + $1))
	shift
	until "$@" > /dev/null 2>&1; do
		[ "$(date +%s)" -lt $_end ] || return 1
		sleep 0.5
	done
}

# in_time SECONDS COMMAND...: the command succeeds within that time; it is left alone
# if it does not end
in_time()
{
	_seconds=$1
	shift
	_status=$(mktemp)
	{
		"$@"
		echo $? > "$_status"
	} &
	if ! within "$_seconds" test -s "$_status"; then
		echo "# does not end: $*"
		return 1
	fi
	[ "$(cat "$_status")" = 0 ]
}

# Whether the command succeeds and TEXT is in what it prints: yes, no, or "failed";
# what it prints is in _out
_find()
{
	_text=$1
	shift
	_found=failed
	if _out=$("$@" 2>&1); then
		case $_out in
		*"$_text"*) _found=yes ;;
		*) _found=no ;;
		esac
	fi
}

# prints TEXT COMMAND...: the command succeeds and TEXT is in what it prints
prints()
{
	_find "$@"
	[ $_found = yes ] && return 0
	echo "$_out" | sed 's/^/# /'
	return 1
}

# prints_not TEXT COMMAND...: the command succeeds without it
prints_not()
{
	_find "$@"
	[ $_found = no ] && return 0
	echo "$_out" | sed 's/^/# /'
	return 1
}

ktap_end()
{
	echo "1..$ktap_n"
	[ $ktap_failed -eq 0 ]
	exit
}
