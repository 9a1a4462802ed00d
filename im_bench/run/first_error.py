"""What went wrong first."""


def first_error(raised: BaseException) -> BaseException:
    """The first single error within nested groups; an error that is no group is itself."""
    error = raised
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
